import { concatBytes, type Stamped } from '@quorate/kernel';
import fc from 'fast-check';
import { RunTrace, TraceFile } from '../src/index.js';

const NOTHING = new Uint8Array(0);

/** One thing that happens in a run: who does it, and which of several. */
type Happening = readonly [
  what: 'cast' | 'arrive' | 'drop' | 'submit' | 'proceed' | 'state' | 'lock',
  node: number,
  which: number,
];

/** Some things that happen to three machines that send frames to each other and commands to the disks. */
export const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.tuple(
    fc.constantFrom('cast', 'arrive', 'arrive', 'drop', 'submit', 'proceed', 'proceed', 'state', 'lock'),
    fc.integer({ min: 1, max: 3 }),
    fc.nat(1000),
  ),
  { maxLength: 60 },
);

/** An ARP request, or what is as long as one. */
const FRAME = Uint8Array.from({ length: 42 }, (_, i) => (i === 12 ? 8 : i === 13 ? 6 : i));

/** A trace of it, told as a driver tells it. */
export function traceOf(run: readonly Happening[]): TraceFile {
  const parts: Uint8Array[] = [];
  const header = {
    seed: '0000000000000001',
    scenario: 'random',
    nodes: [1, 2, 3].map((id) => ({ id, name: `node${id}` })),
  };
  const trace = new RunTrace(header, (bytes) => parts.push(bytes.slice()), { payloads: true });
  const frames: { readonly id: number; readonly from: number; readonly to: number }[] = [];
  const commands: { readonly node: number; readonly tag: number; isAtDisk: boolean }[] = [];
  let [seq, at, id, tag, lkid] = [0, 0, 0, 0, 0];
  const event = (kind: number, node: number, a: number, b: number, bytes: Uint8Array): void => {
    seq += 1;
    trace.event(at, seq, kind, node, a, b, bytes, NOTHING);
  };
  const fact = (kind: string, node: number, fields: object): void =>
    trace.fact({ kind, now: at, node, life: 1, seq: 1, at, ...fields } as Stamped);
  for (const [what, node, which] of run) {
    at += which;
    const frame = frames[which % Math.max(1, frames.length)];
    const command = commands[which % Math.max(1, commands.length)];
    if (what === 'cast') {
      event(17, node, 0, 0, NOTHING);
      trace.sends(FRAME);
      for (const to of [1, 2, 3]) {
        if (to === node) continue;
        id += 1;
        fact('network.sent', 0, { id, from: node, to, sizeBytes: FRAME.length });
        frames.push({ id, from: node, to });
      }
    } else if ((what === 'arrive' || what === 'drop') && frame !== undefined) {
      frames.splice(frames.indexOf(frame), 1);
      if (what === 'arrive') event(9, frame.to, frame.id, FRAME.length, FRAME);
      else fact('network.dropped', 0, { ...frame, reason: 'loss' });
    } else if (what === 'submit') {
      event(17, node, 0, 0, NOTHING);
      tag += 1;
      trace.submits(at, node, 0, tag, Uint8Array.of(0x28, 0, 0, 0, 0, which & 255, 0, 0, 1, 0));
      commands.push({ node, tag, isAtDisk: false });
    } else if (what === 'proceed' && command !== undefined) {
      if (command.isAtDisk) commands.splice(commands.indexOf(command), 1);
      event(command.isAtDisk ? 22 : 20, command.node, command.tag, command.isAtDisk ? 0 : 0x28, NOTHING);
      command.isAtDisk = true;
    } else if (what === 'state') {
      const state = ['gather', 'commit', 'recovery', 'operational'][which % 4]!;
      fact('totem.state', node, { state });
      if (which % 11 === 0) fact('node.state', node, { state: 'off' });
    } else if (what === 'lock') {
      lkid += 1;
      const lock = { lockspace: 'a', resource: `r${which % 3}`, lkid: 1 + (which % lkid) };
      if (which % 3 === 0) fact('dlm.unlocked', node, lock);
      else fact('dlm.lock-granted', node, { ...lock, mode: 'EX' });
    }
  }
  trace.end('a49912c61528d96c');
  return new TraceFile(concatBytes(...parts));
}
