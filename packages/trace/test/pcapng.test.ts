import { concatBytes, viewOf } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { exportPcapng, windowed } from '../src/index.js';
import { failover } from './failover-trace.js';

const BLOCKS: ReadonlyMap<number, string> = new Map([
  [0x0a0d0d0a, 'section'],
  [1, 'interface'],
  [6, 'packet'],
]);

/** A line for each block, by its lengths alone; throws where they do not fit. */
function blocksOf(file: Uint8Array): readonly string[] {
  const view = viewOf(file);
  const blocks: string[] = [];
  for (let at = 0; at < file.length; ) {
    const length = view.getUint32(at + 4, true);
    if (length % 4 !== 0 || view.getUint32(at + length - 4, true) !== length) throw new Error(`a length at ${at}`);
    const name = BLOCKS.get(view.getUint32(at, true))!;
    const isPacket = name === 'packet';
    const time = view.getUint32(at + 12, true) * 0x1_0000_0000 + view.getUint32(at + 16, true);
    blocks.push(isPacket ? `${name} of interface ${view.getUint32(at + 8, true)} at ${time}` : name);
    at += length;
  }
  return blocks;
}

it('has an interface for each node, and each frame where it was sent, where it arrived and where it was lost', () => {
  expect(blocksOf(concatBytes(...exportPcapng(failover())))).toEqual([
    'section',
    'interface',
    'interface',
    'packet of interface 1 at 2000000000',
    'packet of interface 0 at 2000150000',
    'packet of interface 1 at 3500000000',
    'packet of interface 1 at 3500090000',
  ]);
});

it('a window without the sending of a frame has its arrival, and not the drop of one whose bytes are not known', () => {
  const from = (start: number): readonly string[] =>
    blocksOf(concatBytes(...exportPcapng(windowed(failover(), { from: start, to: Infinity })))).slice(3);
  expect(from(2e9 + 1)).toHaveLength(3);
  expect(from(3.5e9 + 1)).toHaveLength(0);
});
