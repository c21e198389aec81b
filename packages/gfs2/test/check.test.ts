import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import { hasProgram, recordedImage } from './real-programs.js';

describe.skipIf(!hasProgram('xz'))('images of the real kernel', () => {
  it.each(['tree-5j', 'bs1024'] as const)('%s is clean', (name) => {
    expect(check(recordedImage(name))).toEqual([]);
  });
  it('dirty', () => {
    console.log(check(recordedImage('dirty-jid2')).slice(0, 20));
  });
});
