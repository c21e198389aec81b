import { Dlm, DlmControld, type DlmOutput, Mode } from '@quorate/dlm';
import { viewOf } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cluster, createLockspace } from '../src/conformance/cluster.js';
import { decodeControldMessage } from '../src/controld-message.js';
import { Command, HEADER_BYTES, Packet, setHeader, Version } from '../src/packet-header.js';
import { decodeNames, decodeRcom, decodeStatusReply, Rcom } from '../src/rcom.js';
import { decodeLock, RcomLock } from '../src/rcom-lock.js';

const LOCKSPACE = 'ls';

/** Two nodes with a lockspace, and every packet that went from node 1 to node 2 until both have locks. */
function talk(): { readonly cluster: Cluster; readonly packets: readonly Uint8Array[] } {
  const packets: Uint8Array[] = [];
  const cluster = new Cluster({ nodes: [1, 2] });
  cluster.onPacket = (from, _, bytes) => {
    if (from === 1) packets.push(bytes.slice());
  };
  createLockspace(cluster, LOCKSPACE);
  for (const [handle, node] of [1, 2, 1, 2].entries()) {
    const lock = { handle, name: `r${handle & 1}`, mode: handle === 3 ? Mode.EX : Mode.PR, flags: 0 };
    cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, ...lock });
    cluster.settle();
  }
  return { cluster, packets };
}

const { packets } = talk();

/** A real packet with some bytes changed, perhaps cut off. */
const damaged = fc
  .tuple(
    fc.constantFrom(...packets),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    fc.option(fc.nat(), { freq: 4 }),
  )
  .map(([packet, changes, end]) => {
    const copy = packet.slice(0, end === null ? packet.length : end % (packet.length + 1));
    for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
    return copy;
  });

/** Reads those bytes behind a good header. */
function decodeBehindHeader(bytes: Uint8Array): void {
  const packet = new Uint8Array(HEADER_BYTES + bytes.length);
  packet.set(bytes, HEADER_BYTES);
  setHeader(viewOf(packet), Version.v3_2, 0, 1, packet.length, Command.RCOM);
  const header = new Packet().turnTo(packet);
  expect(header.decode(0, packet.length)).toBe(true);
  decodeRcom(header, new Rcom());
}

function decodeLockBody(bytes: Uint8Array): void {
  const rcom = new Rcom();
  Object.assign(rcom, { bytes, view: viewOf(bytes), end: bytes.length });
  decodeLock(rcom, new RcomLock());
}

const anything = fc.oneof({ weight: 4, arbitrary: damaged }, fc.uint8Array({ maxLength: 300 }));

describe('no bytes make it throw', () => {
  it('a lock manager that has locks, and packets of its peer', () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 8 }), (received) => {
        const { cluster } = talk();
        for (const bytes of received) cluster.input(2, { kind: 'packet', from: 1, bytes });
        cluster.settle();
      }),
    );
  });

  it('a lock manager that knows nobody, which refuses what it does not understand', () => {
    const outputs: DlmOutput[] = [];
    fc.assert(
      fc.property(anything, (bytes) => {
        const dlm = new Dlm({ nodeId: 2 });
        dlm.step(0, { kind: 'packet', from: 1, bytes }, (output) => outputs.push(output));
      }),
    );
    expect(outputs.some(({ kind }) => kind === 'reject')).toBe(true);
  });

  it('a daemon, and messages of its groups', () => {
    const group = fc.constantFrom('dlm:controld', 'dlm:ls:ls', 'other');
    fc.assert(
      fc.property(group, fc.uint8Array({ maxLength: 120 }), (to, payload) => {
        const daemon = new DlmControld({ nodeId: 2 });
        daemon.step(0, { kind: 'start' }, () => {});
        daemon.step(0, { kind: 'online', lockspace: LOCKSPACE }, () => {});
        daemon.step(0, { kind: 'message', group: to, from: 1, payload }, () => {});
      }),
    );
  });

  it.each([
    ['packet headers', (bytes: Uint8Array) => new Packet().turnTo(bytes).decode(0, bytes.length)],
    ['recovery messages', decodeBehindHeader],
    ['status replies', decodeStatusReply],
    ['names', decodeNames],
    ['locks', decodeLockBody],
    ["a daemon's messages", decodeControldMessage],
  ] as const)('%s', (_, decode) => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decode(bytes)));
  });
});

it('a value block has to fit the message that moves its lock to another master', () => {
  const told = (lvbLength: number): string[] => {
    const kinds: string[] = [];
    const dlm = new Dlm({ nodeId: 1 });
    dlm.step(0, { kind: 'create', lockspace: LOCKSPACE, lvbLength, isFs: false }, ({ kind }) => kinds.push(kind));
    return kinds;
  };
  expect(told(3912)).toEqual(['online']);
  expect(told(3920)).toEqual(['create-refused']);
});
