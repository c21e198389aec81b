import { hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { delta, intersection, subtract, union } from '../src/central/node-sets.js';
import { decodeMaster, encodeMaster } from '../src/central/transition-master.js';

describe('sets of nodes', () => {
  it('keep the order of the left', () => {
    expect(union([1, 2, 3, 3, 3, 2, 2, 3], [2, 3, 4])).toEqual([1, 2, 3, 4]);
    expect(union(3, [1, 2, 3])).toEqual([3, 1, 2]);
    expect(intersection([3, 1, 2, 3], [2, 3, 4])).toEqual([3, 2]);
    expect(delta([1, 2, 3, 3], [2, 3, 4])).toEqual([1, 4]);
    expect(subtract([3, 1, 2], 1)).toEqual([3, 2]);
  });
});

describe('the record of the master', () => {
  it('has 128 bytes, big-endian', () => {
    const bytes = encodeMaster(3, 1_446_155_980);
    expect(bytes.length).toBe(128);
    expect(hex(bytes, 0, 18)).toBe('fabab0de0000000300000000563296cc0000');
    expect(decodeMaster(bytes)).toBe(3);
  });

  it('is none when it is too short or has another magic', () => {
    expect(decodeMaster(encodeMaster(3, 0).subarray(1))).toBeUndefined();
    expect(decodeMaster(new Uint8Array(128))).toBeUndefined();
  });
});
