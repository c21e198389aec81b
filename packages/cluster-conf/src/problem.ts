import { ConfigError } from '@quorate/kernel';

/** Something the original starts with all the same, and that is probably not meant. */
export interface ConfWarning {
  /** Line in the text, from 1. */
  readonly line: number;
  /** `/cluster/rm/failoverdomains/failoverdomain[2]/failoverdomainnode/@name`. */
  readonly path: string;
  /** The value found there; empty when something is missing. */
  readonly value: string;
  /** What would be right, and what the original does with what it found. */
  readonly expected: string;
}

/** Where in a text something stands. */
export interface Place {
  readonly path: string;
  readonly line: number;
}

/** What was found in one text, collected while it is read, so that a reader never stops at the first mistake. */
export class Problems {
  readonly #errors: ConfigError[] = [];
  readonly #warnings: ConfWarning[] = [];

  error(place: Place, value: string, expected: string): void {
    this.#errors.push(new ConfigError(place.path, value, expected, place.line));
  }

  warn(place: Place, value: string, expected: string): void {
    this.#warnings.push({ line: place.line, path: place.path, value, expected });
  }

  /** In the order of the text. */
  get errors(): readonly ConfigError[] {
    return [...this.#errors].sort((a, b) => a.line - b.line);
  }

  /** In the order of the text. */
  get warnings(): readonly ConfWarning[] {
    return [...this.#warnings].sort((a, b) => a.line - b.line);
  }
}
