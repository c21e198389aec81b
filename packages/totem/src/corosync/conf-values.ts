import { ConfigError } from '@quorate/kernel';
import type { ConfEntry, ConfSection } from './conf-text.js';

/** The values of a section, each asked for by its key; whoever is through says so, and what nobody asked for is an error. */
export class ConfValues {
  readonly path: string;
  readonly line: number;
  /** Of a key that stands there twice the last counts. */
  readonly #entries = new Map<string, ConfEntry>();
  readonly #asked = new Set<string>();

  constructor(section: ConfSection, path: string) {
    this.path = path;
    this.line = section.line;
    for (const entry of section.entries) this.#entries.set(entry.key, entry);
  }

  text(key: string): string | undefined {
    this.#asked.add(key);
    return this.#entries.get(key)?.value;
  }

  /** @throws {ConfigError} for what is no whole number from `least` to `most`. */
  number(key: string, least = 0, most = 0xffff_ffff): number | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (/^[0-9]+$/.test(value) && number >= least && number <= most) return number;
    throw this.error(key, `a whole number from ${least} to ${most}`);
  }

  /** @throws {ConfigError} for another value than those. */
  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const found = values.find((other) => other === value);
    if (found === undefined) throw this.error(key, values.length === 1 ? `only ${values[0]}` : values.join(' or '));
    return found;
  }

  /** A switch: corosync's keys spell it yes and no, 1 and 0, or on and off. */
  isOn(key: string): boolean | undefined {
    const value = this.oneOf(key, ['yes', 'no', '1', '0', 'on', 'off']);
    return value === undefined ? undefined : value === 'yes' || value === '1' || value === 'on';
  }

  /** What is wrong with the value of a key, or with its absence. */
  error(key: string, expected: string): ConfigError {
    const entry = this.#entries.get(key);
    return new ConfigError(`${this.path}.${key}`, entry?.value ?? '', expected, { line: entry?.line ?? this.line });
  }

  /** @throws {ConfigError} for the first key that nobody asked for. */
  end(): void {
    for (const entry of this.#entries.values()) {
      if (this.#asked.has(entry.key)) continue;
      const known = [...this.#asked].join(', ');
      throw new ConfigError(`${this.path}.${entry.key}`, entry.key, `a key that is supported here: ${known}`, {
        line: entry.line,
      });
    }
  }
}
