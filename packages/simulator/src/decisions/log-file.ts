import { Decoder, encode } from '@msgpack/msgpack';
import { ConfigError } from '@quorate/kernel';
import type { Decision, DecisionLog, LogOrigin } from './decision-log.js';

const FORMAT = 'quorate-decisions';
const VERSION = 1;

/**
 * A log as MessagePack: a map
 *
 *     format   "quorate-decisions"
 *     version  1
 *     origin   {scenario, seed, options, commit, seeded}
 *     kinds    names of questions, for reference by place
 *     streams  name → [counter's distance to the one before it, kind, n, value, …], four whole numbers for each decision
 */
export function encodeLog(origin: LogOrigin, log: DecisionLog): Uint8Array {
  const kinds = new Map<string, number>();
  const streams: Record<string, readonly number[]> = {};
  for (const [stream, decisions] of log) {
    const numbers: number[] = [];
    let last = -1;
    for (const { counter, kind, n, value } of decisions) {
      let place = kinds.get(kind);
      if (place === undefined) {
        place = kinds.size;
        kinds.set(kind, place);
      }
      numbers.push(counter - last, place, n, value);
      last = counter;
    }
    streams[stream] = numbers;
  }
  return encode({ format: FORMAT, version: VERSION, origin, kinds: [...kinds.keys()], streams }).slice();
}

/** @throws {ConfigError} when the bytes are no log of this version. */
export function decodeLog(bytes: Uint8Array): { readonly origin: LogOrigin; readonly log: DecisionLog } {
  const file = decodeMap(bytes);
  if (file.format !== FORMAT) throw new ConfigError('format', String(file.format), `"${FORMAT}"`);
  if (file.version !== VERSION) throw new ConfigError('version', String(file.version), String(VERSION));
  const kinds = file.kinds as readonly string[];
  const log = new Map<string, readonly Decision[]>();
  for (const [stream, numbers] of Object.entries(file.streams as Readonly<Record<string, readonly number[]>>)) {
    const decisions: Decision[] = [];
    let counter = -1;
    for (let i = 0; i < numbers.length; i += 4) {
      counter += numbers[i]!;
      const kind = kinds[numbers[i + 1]!];
      if (kind === undefined) throw new ConfigError(stream, String(numbers[i + 1]), 'the place of a kind');
      decisions.push({ counter, kind, n: numbers[i + 2]!, value: numbers[i + 3]! });
    }
    log.set(stream, decisions);
  }
  // Logs that were written before anything was left to the seed do not say that nothing is.
  const origin = file.origin as Omit<LogOrigin, 'seeded'> & Partial<LogOrigin>;
  return { origin: { ...origin, seeded: origin.seeded ?? [] }, log };
}

/** Without the library's cache of keys, which throws dice over what it drops. */
function decodeMap(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const file = new Decoder({ keyDecoder: null }).decode(bytes);
    if (typeof file === 'object' && file !== null) return file as Readonly<Record<string, unknown>>;
  } catch {
    // Told below: what the library says of bytes that are no MessagePack helps nobody.
  }
  throw new ConfigError('log', `${bytes.length} bytes`, 'a log of decisions');
}
