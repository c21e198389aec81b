import { Checker, type Fact, type Stamped } from '@quorate/kernel';
import { MemoryFile } from '@quorate/scsi';
import { describe, expect, it, vi } from 'vitest';
import { invariants, openVhdx, type VhdxFact } from '../src/index.js';
import { RoomMap } from '../src/room-map.js';
import { MIB, newImage, random, sectors } from './images.js';

/** Ids of the invariants that a history of facts breaks. */
function broken(facts: readonly VhdxFact[]): string[] {
  const checker = new Checker(invariants);
  facts.forEach((fact, seq) => {
    checker.observe({ ...(fact as Fact), node: 0, life: 1, seq, at: fact.now } as Stamped);
  });
  return [...new Set(checker.violations.map(({ invariant }) => invariant))];
}

/** Writes, unmaps, flushes and resizes an image. */
function history(): VhdxFact[] {
  const facts: VhdxFact[] = [];
  const file = newImage({ size: 8 * MIB });
  const image = openVhdx(file, { random, observe: (fact) => facts.push(fact) });
  image.write(0, sectors(1));
  image.write(3 * 2048, sectors(2, 2049));
  image.flush();
  image.unmap!(0, 2048);
  image.write(6 * 2048, sectors(3));
  image.flush();
  image.write(7 * 2048, sectors(4));
  image.resize(200_000 * MIB);
  // Takes the room of the old BAT.
  image.write(9 * 2048, sectors(5));
  image.close();
  return facts;
}

/** Runs with one rule broken, and mends it. */
function withBroken(rule: { mockRestore(): void }): string[] {
  try {
    return broken(history());
  } finally {
    rule.mockRestore();
  }
}

const PLACE = { now: 0, image: 'a' };

describe('invariants', () => {
  it('an ordinary life keeps them, and has something to check', () => {
    const facts = history();
    expect(broken(facts)).toEqual([]);
    expect(new Set(facts.map(({ kind }) => kind)).size).toBe(9);
  });

  it('V1: room that is handed out twice is found', () => {
    const first = vi.spyOn(RoomMap.prototype, 'take').mockReturnValue(4);
    expect(withBroken(first)).toContain('vhdx.V1');
  });

  it('V1: a block that lies over the log is found', () => {
    const structures = [{ offset: MIB, length: MIB }];
    expect(
      broken([
        { kind: 'vhdx.opened', ...PLACE, blockSize: MIB, structures },
        { kind: 'vhdx.block-placed', ...PLACE, block: 0, offset: MIB },
      ]),
    ).toEqual(['vhdx.V1']);
  });

  it('V1: so is one that is not at a whole MiB', () => {
    expect(broken([{ kind: 'vhdx.block-placed', ...PLACE, block: 0, offset: 512 }])).toEqual(['vhdx.V1']);
  });

  it('V2, V3, V4: an image that takes a flush for done that was not is found', () => {
    const facts = history().filter(({ kind }) => kind !== 'vhdx.flushed');
    expect(broken(facts)).toEqual(expect.arrayContaining(['vhdx.V2', 'vhdx.V3', 'vhdx.V4']));
  });

  it('V2: a BAT that is saved before its log entry is durable is found', () => {
    const facts = history();
    const logged = facts.findIndex(({ kind }) => kind === 'vhdx.log-written');
    const written = facts.findIndex(({ kind }) => kind === 'vhdx.sector-written');
    const [sector] = facts.splice(written, 1);
    facts.splice(logged + 1, 0, sector!);
    expect(broken(facts)).toContain('vhdx.V2');
  });

  it('V2: a sector that the log does not have is found', () => {
    const facts = history().map((fact) => (fact.kind === 'vhdx.log-written' ? { ...fact, sectors: [] } : fact));
    expect(broken(facts)).toEqual(['vhdx.V2']);
  });

  it('V4: a header that is not written in turn is found', () => {
    const facts = history().map((fact) => (fact.kind === 'vhdx.header-written' ? { ...fact, copy: 1 } : fact));
    expect(broken(facts)).toEqual(['vhdx.V4']);
    const jumping = history().map((fact) =>
      fact.kind === 'vhdx.header-written' ? { ...fact, sequence: `${fact.sequence}0` } : fact,
    );
    expect(broken(jumping)).toEqual(['vhdx.V4']);
  });

  it('V5: room that is released at once is found', () => {
    // The rule broken: what a block gives back is free before the BAT says so.
    const facts: VhdxFact[] = [];
    const image = openVhdx(newImage({ size: 8 * MIB }, new MemoryFile()), {
      random,
      observe: (fact) => facts.push(fact),
    });
    image.write(0, sectors(1));
    image.flush();
    image.unmap!(0, 2048);
    const taken = vi.spyOn(RoomMap.prototype, 'take').mockReturnValue(4);
    image.write(2048, sectors(2));
    taken.mockRestore();
    expect(broken(facts)).toEqual(['vhdx.V5']);
  });
});
