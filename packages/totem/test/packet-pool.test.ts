import { describe, expect, it } from 'vitest';
import { PacketPool } from '../src/packet-pool.js';

describe('packets that everybody has are filled again', () => {
  it('those of the length asked for, the last one first', () => {
    const pool = new PacketPool();
    const [full, short] = [pool.take(1455), pool.take(90)];
    pool.release(full);
    pool.release(short);
    expect(pool.take(1455)).toBe(full);
    expect(pool.take(1455)).not.toBe(full);
    expect(pool.take(90)).toBe(short);
  });

  it('lengths that are out of use make room for others', () => {
    const pool = new PacketPool();
    for (const packet of Array.from({ length: 1000 }, () => pool.take(1455))) pool.release(packet);
    const other = pool.take(90);
    pool.release(other);
    expect(pool.take(90)).toBe(other);
  });

  it('an own packet has its payload and its place', () => {
    const packet = new PacketPool().take(45 + 3).fill(7, 2, new Uint8Array([1, 2, 3]), true);
    packet.stamp(9, 4, { representative: 5, seq: 20 });
    expect(packet).toMatchObject({ from: 7, systemFrom: 7, isSafe: true, littleEndian: true });
    expect([...packet.payload]).toEqual([1, 2, 3]);
    expect(packet.bytes.subarray(17, 25)).toEqual(new Uint8Array([9, 0, 0, 0, 4, 0, 0, 0]));
  });
});
