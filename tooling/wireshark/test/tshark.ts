import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { concatBytes } from '@quorate/kernel';

/** Runs tshark over a capture; `scripts` are files beside this folder. Gives what it prints. */
export function tshark(capture: Uint8Array, scripts: readonly string[], ...options: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-wireshark-'));
  try {
    const file = join(folder, 'capture.pcapng');
    writeFileSync(file, capture);
    const dissectors = scripts.flatMap((name) => [
      '-X',
      `lua_script:${fileURLToPath(new URL(`../${name}`, import.meta.url))}`,
    ]);
    return execFileSync('tshark', ['-n', ...dissectors, '-r', file, ...options], {
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 1 << 30,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A row for each packet, with the values of `fields` in it; one that comes several times has them joined by commas. */
export function tsharkFields(
  capture: Uint8Array,
  scripts: readonly string[],
  fields: readonly string[],
  ...options: readonly string[]
): readonly (readonly string[])[] {
  const columns = ['-T', 'fields', '-E', 'separator=/t', ...fields.flatMap((field) => ['-e', field])];
  return tshark(capture, scripts, ...columns, ...options)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

/** What a dissector made of one packet. */
export interface Dissected {
  /** Values of every field, by its filter name, in their order. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The protocol's line. */
  readonly title: string;
  /** Offsets of the protocol's bytes that no field without parts has. */
  readonly uncovered: readonly number[];
}

/** What stands in another buffer than the packet does not say which of its bytes are taken. */
const ELSEWHERE = 'Message put together';

/** Dissects a capture, and gives for each packet what the protocol's own dissector has found in it. */
export function dissect(capture: Uint8Array, scripts: readonly string[], protocol: string): readonly Dissected[] {
  const text = tshark(capture, scripts, '-T', 'pdml', '-J', protocol, '-Y', protocol);
  return text
    .split('<packet>')
    .slice(1)
    .map((packet) => dissectedOf(packet, protocol));
}

function dissectedOf(packet: string, protocol: string): Dissected {
  const fields = new Map<string, string[]>();
  let title = '';
  let covered: boolean[] = [];
  let start = -1;
  /** Names of the elements that are open from the protocol's on. */
  let depth = 0;
  let elsewhere = Infinity;
  for (const [, close, tag, attributes = '', end] of packet.matchAll(/<(\/?)(proto|field)\b([^>]*?)(\/?)>/g)) {
    if (tag === 'proto') {
      if (close === '' && attributeOf(attributes, 'name') === protocol) {
        title = attributeOf(attributes, 'showname');
        start = Number(attributeOf(attributes, 'pos'));
        covered = Array<boolean>(Number(attributeOf(attributes, 'size'))).fill(false);
      } else if (close === '/') {
        if (start >= 0 && title !== '') break;
      }
      continue;
    }
    if (start < 0) continue;
    if (close === '/') {
      depth -= 1;
      if (depth <= elsewhere) elsewhere = Infinity;
      continue;
    }
    const name = attributeOf(attributes, 'name');
    const values = fields.get(name) ?? [];
    values.push(attributeOf(attributes, 'show'));
    fields.set(name, values);
    if (end === '/') {
      const isInPacket = elsewhere === Infinity && name.startsWith(`${protocol}.`);
      const from = Number(attributeOf(attributes, 'pos')) - start;
      const to = from + Number(attributeOf(attributes, 'size'));
      for (let at = from; isInPacket && at < to; at++) covered[at] = true;
      continue;
    }
    if (attributeOf(attributes, 'showname').startsWith(ELSEWHERE)) elsewhere = Math.min(elsewhere, depth);
    depth += 1;
  }
  return { fields, title, uncovered: covered.flatMap((isCovered, at) => (isCovered ? [] : [at])) };
}

function attributeOf(attributes: string, name: string): string {
  return new RegExp(` ${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
}

/** A file that something writes piece by piece. */
export function fileOf(write: (sink: (bytes: Uint8Array) => void) => void): Uint8Array {
  const pieces: Uint8Array[] = [];
  write((bytes) => pieces.push(bytes.slice()));
  return concatBytes(...pieces);
}
