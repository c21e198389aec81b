import { ConfigError, type TextPlace } from '@quorate/kernel';

/** Something the original starts with all the same, and that is probably not meant. */
export interface ConfWarning {
  readonly place: TextPlace;
  /** `/cluster/rm/failoverdomains/failoverdomain[2]/failoverdomainnode/@name`. */
  readonly path: string;
  /** The value found there; empty when something is missing. */
  readonly value: string;
  /** What would be right, and what the original does with what it found. */
  readonly expected: string;
}

/** An element or attribute, with where in the text it stands. */
export interface Located {
  readonly path: string;
  readonly place: TextPlace;
}

/** What was found in one text, collected while it is read, so that a reader never stops at the first mistake. */
export class Problems {
  readonly #errors: ConfigError[] = [];
  readonly #conflicts = new Set<ConfigError>();
  readonly #warnings: ConfWarning[] = [];

  error({ path, place }: Located, value: string, expected: string): void {
    this.#errors.push(new ConfigError(path, value, expected, place));
  }

  /** An error that is one only beside what stands elsewhere. */
  conflict({ path, place }: Located, value: string, expected: string): void {
    const error = new ConfigError(path, value, expected, place);
    this.#errors.push(error);
    this.#conflicts.add(error);
  }

  warn({ path, place }: Located, value: string, expected: string): void {
    this.#warnings.push({ place, path, value, expected });
  }

  /** In the order of the text. */
  get errors(): readonly ConfigError[] {
    return [...this.#errors].sort((a, b) => compare(a.place, b.place));
  }

  /** Those of the errors that are one only beside what stands elsewhere. */
  get conflicts(): readonly ConfigError[] {
    return this.errors.filter((error) => this.#conflicts.has(error));
  }

  /** In the order of the text. */
  get warnings(): readonly ConfWarning[] {
    return [...this.#warnings].sort((a, b) => compare(a.place, b.place));
  }
}

function compare(a: TextPlace | undefined, b: TextPlace | undefined): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}
