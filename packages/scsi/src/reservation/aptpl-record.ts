import { asciiBytes, ConfigError, crc32c, latin1 } from '@quorate/kernel';
import { type InitiatorPort, portName } from '../transport-id.js';
import { isAllRegistrants, isReservationType } from './reservation-type.js';

/** One registration as it is kept over a power loss. */
export interface AptplRegistration {
  readonly port: InitiatorPort;
  /** Not 0. */
  readonly key: bigint;
  /** ALL_TG_PT: made for every target port. */
  readonly allTargetPorts: boolean;
  /** Holds the reservation; nobody does under All Registrants, where all do. */
  readonly isHolder: boolean;
}

/** What a logical unit keeps of its persistent reservations when it loses power (APTPL). */
export interface AptplRecord {
  /** PTPL_A: later changes are kept as well. */
  readonly isActive: boolean;
  /** Type of the reservation, 0 for none. */
  readonly type: number;
  /** In the order of registration; none when nothing is kept. */
  readonly registrations: readonly AptplRegistration[];
}

const FIRST_LINE = 'persistent reservations 1';

/**
 * The record as ASCII text, a line each:
 *
 * ```
 * persistent reservations 1
 * aptpl 1
 * type 5
 * registration 000000000000000a holder iqn.2024-01.lab:a,i,0x400000000001
 * registration 000000000000000b - iqn.2024-01.lab:b,i,0x400000000002
 * crc32c 89abcdef
 * ```
 *
 * Between key and port stand `holder`, `all-ports`, both with a comma, or `-`. The checksum is that of all lines before it,
 * ends of lines included.
 */
export function encodeAptpl(record: AptplRecord): Uint8Array<ArrayBuffer> {
  const lines = [FIRST_LINE, `aptpl ${record.isActive ? 1 : 0}`, `type ${record.type}`];
  for (const registration of record.registrations) {
    const key = registration.key.toString(16).padStart(16, '0');
    lines.push(`registration ${key} ${flagsOf(registration)} ${portName(registration.port)}`);
  }
  const text = `${lines.join('\n')}\n`;
  return asciiBytes(`${text}crc32c ${checksumOf(text)}\n`);
}

function flagsOf({ isHolder, allTargetPorts }: AptplRegistration): string {
  const flags = [isHolder ? 'holder' : '', allTargetPorts ? 'all-ports' : ''].filter((flag) => flag !== '');
  return flags.length === 0 ? '-' : flags.join(',');
}

function checksumOf(text: string): string {
  return crc32c(asciiBytes(text)).toString(16).padStart(8, '0');
}

/**
 * Reads that text.
 *
 * @throws {ConfigError} that names the line, for a checksum that is wrong, a line that is none of these, and a record that
 * no logical unit can have: two holders, a reservation without a registration, a port that registers twice.
 */
export function decodeAptpl(bytes: Uint8Array): AptplRecord {
  const text = latin1(bytes);
  const lines = text.split('\n');
  if (lines[0] !== FIRST_LINE) throw wrong(1, lines[0]!, `"${FIRST_LINE}"`);
  if (lines.at(-1) !== '') throw wrong(lines.length, lines.at(-1)!, 'a line that ends');
  const last = lines.length - 1;
  const body = text.slice(0, text.length - lines[last - 1]!.length - 1);
  if (lines[last - 1] !== `crc32c ${checksumOf(body)}`) {
    throw wrong(last, lines[last - 1]!, `crc32c ${checksumOf(body)}, the checksum of the lines before`);
  }
  const isActive = /^aptpl ([01])$/.exec(lines[1] ?? '')?.[1];
  if (isActive === undefined) throw wrong(2, lines[1] ?? '', '"aptpl 0" or "aptpl 1"');
  const type = Number(/^type ([0-9])$/.exec(lines[2] ?? '')?.[1] ?? Number.NaN);
  if (type !== 0 && !isReservationType(type)) throw wrong(3, lines[2] ?? '', '"type" and a type of reservation, or 0');
  const registrations = lines.slice(3, last - 1).map((line, i) => decodeRegistration(line, 4 + i));
  const record = { isActive: isActive === '1', type, registrations };
  checkAptpl(record);
  return record;
}

function decodeRegistration(line: string, number: number): AptplRegistration {
  const found = /^registration ([0-9a-f]{16}) (-|holder|all-ports|holder,all-ports) (\S+),i,0x([0-9a-f]{12})$/.exec(
    line,
  );
  if (found === null) throw wrong(number, line, '"registration", key, flags and port');
  const [, key = '', flags = '', name = '', isid = ''] = found;
  return {
    port: { name, isid },
    key: BigInt(`0x${key}`),
    isHolder: flags.includes('holder'),
    allTargetPorts: flags.includes('all-ports'),
  };
}

/** @throws {ConfigError} for a record that no logical unit can have. */
export function checkAptpl({ type, registrations }: AptplRecord): void {
  const holders = registrations.filter((registration) => registration.isHolder).length;
  const expected = type === 0 || isAllRegistrants(type) ? 0 : 1;
  if (holders !== expected) throw new ConfigError('aptpl', `${holders} holders of type ${type}`, `${expected}`);
  if (type !== 0 && registrations.length === 0) throw new ConfigError('aptpl', `type ${type}`, 'a registration');
  const ports = new Set(registrations.map((registration) => portName(registration.port)));
  if (ports.size < registrations.length) throw new ConfigError('aptpl', 'a port twice', 'every port once');
  if (registrations.some(({ key }) => key === 0n)) throw new ConfigError('aptpl', 'key 0', 'another key');
}

function wrong(line: number, found: string, expected: string): ConfigError {
  return new ConfigError('aptpl', found, expected, { line });
}
