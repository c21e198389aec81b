import { Prng, SECOND } from '@quorate/kernel';
import { read10, testUnitReady, write10 } from '@quorate/scsi';
import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { PduWriter } from '../src/pdu/pdu-writer.js';
import { Client, INITIATOR, Rig, TARGET } from './rig.js';

/** What somebody sends who means well: a login, and commands of every kind. */
function sessionOf(isid: number): readonly Uint8Array[] {
  const pdus: Uint8Array[] = [];
  const writer = new PduWriter();
  writer.sendTo((bytes) => pdus.push(bytes.slice()));
  const end = (data?: Uint8Array): void => {
    writer.end(data);
    writer.flush();
  };
  const text = `InitiatorName=${INITIATOR}.fuzz\0TargetName=${TARGET}\0InitialR2T=No\0MaxRecvDataSegmentLength=4096\0`;
  writer.begin(0x43, 0x87).u8(8, 0x80).u8(13, isid).u32(24, 1);
  end(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  let cmdSn = 1;
  const command = (flags: number, expected: number, cdb: Uint8Array, data?: Uint8Array): void => {
    writer.begin(0x01, flags).u32(16, cmdSn).u32(20, expected).u32(24, cmdSn).raw(32, cdb);
    cmdSn += 1;
    end(data);
  };
  command(0x80, 0, testUnitReady());
  command(0xc0, 8192, read10(0, 16));
  command(0xa0, 512, write10(1000, 1), new Uint8Array(512).fill(1));
  command(0x20, 4096, write10(1001, 8), new Uint8Array(512).fill(2));
  for (let i = 0; i < 7; i++) {
    writer
      .begin(0x05, i === 6 ? 0x80 : 0)
      .u32(16, cmdSn - 1)
      .u32(20, 0xffff_ffff)
      .u32(36, i)
      .u32(40, 512 * (i + 1));
    end(new Uint8Array(512).fill(3));
  }
  command(0xa0, 100_000, write10(1000, 190));
  writer
    .begin(0x42, 0x81)
    .u32(16, 500)
    .u32(20, cmdSn - 1)
    .u32(24, cmdSn);
  end();
  writer.begin(0x40, 0x80).u32(16, 501).u32(20, 0xffff_ffff).u32(24, cmdSn);
  end(new Uint8Array(16));
  writer.begin(0x44, 0x80).u32(16, 502).u32(20, 0xffff_ffff).u32(24, cmdSn);
  end(Uint8Array.from('SendTargets=\0', (character) => character.charCodeAt(0)));
  return pdus;
}

function mutate(bytes: Uint8Array, prng: Prng): Uint8Array {
  const mutant = bytes.slice();
  for (let i = prng.below(4); i >= 0; i--) {
    // Mostly the header: what it says is what could hurt.
    const at = prng.below(prng.below(8) === 0 ? mutant.length : Math.min(48, mutant.length));
    const how = prng.below(4);
    mutant[at] = how === 0 ? 0 : how === 1 ? 0xff : how === 2 ? mutant[at]! ^ (1 << prng.below(8)) : prng.below(256);
  }
  return prng.below(20) === 0 ? mutant.subarray(0, prng.below(mutant.length)) : mutant;
}

const MUTANTS = isThorough ? 100_000 : 20_000;

it(`${MUTANTS} mutated PDUs: nothing throws, memory stays bounded, and other sessions do not notice`, () => {
  const rig = new Rig();
  const prng = Prng.derive({ hi: 0, lo: 2024 }, 'fuzz');
  const witness = new Client(rig).settle();
  let sent = 0;
  let dropped = 0;
  for (let run = 0; sent < MUTANTS; run++) {
    const connection = rig.connect(() => {});
    // Only a few: what differs is what goes wrong, not who does it.
    for (const pdu of sessionOf(run % 16)) {
      if (rig.closed.has(connection)) break;
      const isIntact = prng.below(2) === 0;
      rig.step({ kind: 'received', connection, bytes: isIntact ? pdu : mutate(pdu, prng) });
      rig.run();
      sent += 1;
    }
    if (rig.closed.has(connection)) dropped += 1;
    else rig.step({ kind: 'closed', connection });
    if (run % 500 === 0) {
      // A mutant may reset the unit, or reserve it: what counts is that the witness is answered.
      expect(witness.execute(read10(0, 1), { dataInLength: 512 })).toBeDefined();
      expect(Number(rig.machine.inspect().bufferedBytes)).toBeLessThan(1024 * 1024);
    }
  }
  expect(dropped).toBeGreaterThan(MUTANTS / 100);
  expect(rig.violations).toEqual([]);
  expect(rig.machine.inspect()).toMatchObject({ bufferedBytes: 0, sessions: [{ initiator: INITIATOR }] });
  const reasons = new Set(rig.factsOf('iscsi.connection-ended').map(({ reason }) => reason));
  expect([...reasons].sort()).toEqual(
    expect.arrayContaining(['login-refused', 'not-a-login', 'peer-closed', 'unknown-opcode']),
  );
});

it('bytes that are no PDUs at all end the connection', () => {
  const rig = new Rig();
  const prng = Prng.derive({ hi: 0, lo: 5 }, 'noise');
  for (let run = 0; run < 500; run++) {
    const connection = rig.connect(() => {});
    for (let i = 0; i < 50 && !rig.closed.has(connection); i++) {
      const bytes = Uint8Array.from({ length: 1 + prng.below(200) }, () => prng.below(256));
      rig.step({ kind: 'received', connection, bytes });
    }
    // A length that fits is waited for, as long as a login may take.
    rig.wait(16 * SECOND);
    expect(rig.closed.has(connection)).toBe(true);
  }
});
