import { MICROSECOND, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type Impairment, ReserveOut, read10, write10 } from '../src/index.js';
import { Rig } from './rig.js';

const BLOCK = new Uint8Array(512);
/** Of the tame world: the model's base times, and 512 bytes at 200 MB/s. */
const [READ, TRANSFER] = [100 * MICROSECOND, 512 * 5];

function took(rig: Rig, run: () => void): Nanos {
  const from = rig.now;
  run();
  rig.advance();
  return rig.now - from;
}

function readTime(impairment: Partial<Impairment>, nexus = 1): Nanos {
  const rig = new Rig().login(1, 2);
  rig.step({ kind: 'impair', nexus: 1, impairment });
  return took(rig, () => rig.send(nexus, read10(0, 1)));
}

describe('an impaired initiator', () => {
  it.each<[string, Partial<Impairment>, Nanos]>([
    ['nothing changes nothing', {}, READ + TRANSFER],
    ['slow: its commands take longer', { slow: 50 }, 50 * READ + TRANSFER],
    ['a delay of PERSISTENT RESERVE OUT changes no read', { reserveOut: SECOND }, READ + TRANSFER],
  ])('%s', (_, impairment, expected) => {
    expect(readTime(impairment)).toBe(expected);
  });

  it('hung: what it sends is accepted, and ends when the hang does', () => {
    const rig = new Rig().login(1);
    rig.step({ kind: 'impair', nexus: 1, impairment: { hungUntil: 3 * SECOND } });
    rig.send(1, write10(0, 1), BLOCK.slice().fill(7));
    rig.advance(2 * SECOND);
    expect(rig.store.read(0, 1, new Uint8Array(512))?.[0] ?? 0).toBe(0);
    rig.advance();
    expect([rig.now, rig.ended.at(-1)!.status]).toEqual([3 * SECOND, 0]);
  });

  it('leaves the others alone', () => {
    expect(readTime({ slow: 1000, hungUntil: SECOND }, 2)).toBe(READ + TRANSFER);
  });

  it('delays each PERSISTENT RESERVE OUT', () => {
    const rig = new Rig().login(1);
    const register = (): Nanos =>
      took(rig, () => rig.reserveOut(1, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, 1n));
    const before = register();
    rig.step({ kind: 'impair', nexus: 1, impairment: { reserveOut: 700 * MILLISECOND } });
    expect(register()).toBe(before + 700 * MILLISECOND);
  });

  it('is so at its next login too, and whole again when told so', () => {
    const rig = new Rig();
    rig.step({ kind: 'impair', nexus: 1, impairment: { slow: 9 } });
    rig.login(1);
    expect(took(rig, () => rig.send(1, read10(0, 1)))).toBe(9 * READ + TRANSFER);
    rig.step({ kind: 'impair', nexus: 1, impairment: {} });
    expect(took(rig, () => rig.send(1, read10(0, 1)))).toBe(READ + TRANSFER);
  });

  it.each<[Partial<Impairment>, string]>([
    [{ slow: 0.5 }, 'impairment.slow: found 0.5, expected at least 1'],
    [{ hungUntil: -1 }, 'impairment.hungUntil: found -1, expected a whole number of ns'],
  ])('cannot be %j', (impairment, message) => {
    expect(() => new Rig().step({ kind: 'impair', nexus: 1, impairment })).toThrow(new RangeError(message));
  });
});
