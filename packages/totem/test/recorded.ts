import { readFileSync } from 'node:fs';
import { fromHex, MICROSECOND, type Nanos, SECOND } from '@quorate/kernel';
import type { NodeId } from '../src/index.js';

export const RECORDINGS = [
  'single-node-start',
  'three-node-form-idle-leave',
  'five-node-form',
  'cpg-hello',
  'pack-small-messages',
  'fragment-8k',
  'loss-retransmit',
  'recovery-old-messages',
  'kill9-and-rejoin',
  'kill9-rep-and-rejoin',
  'partition-and-merge',
  'udp-multicast-form',
] as const;

export interface Recorded {
  readonly at: Nanos;
  readonly from: NodeId;
  readonly to: readonly NodeId[];
  /** How much later than the first each of the copies went out, in the order of `to`. */
  readonly lags: readonly Nanos[];
  readonly bytes: Uint8Array;
}

/** The datagrams of a recording (see test/data/recorded/README.txt). */
export function recorded(name: (typeof RECORDINGS)[number]): readonly Recorded[] {
  const text = readFileSync(new URL(`./data/recorded/${name}.txt`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line.includes('>'))
    .map((line) => {
      const [seconds, way, packed] = line.split(' ') as [string, string, string];
      const [from, to] = way.split('>') as [string, string];
      const copies = to.split(',').map((copy) => copy.split('+').map(Number));
      const digits = packed.replace(/\((\d+)\)/g, (_, zeros: string) => '00'.repeat(Number(zeros)));
      return {
        at: Math.round(Number(seconds) * SECOND),
        from: Number(from),
        to: copies.map(([node]) => node!),
        lags: copies.map(([, lag = 0]) => lag * MICROSECOND),
        bytes: fromHex(digits),
      };
    });
}

/** The bytes with `target_nodeid` as 0: corosync does not initialise it on udpu. */
export function withoutTarget(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.fill(0, 9, 13);
  return copy;
}
