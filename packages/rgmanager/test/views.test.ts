import { SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Channels } from '../src/cluster/channels.js';
import { Locks } from '../src/cluster/locks.js';
import { Members } from '../src/cluster/members.js';
import { type RgMessage, readMessage } from '../src/cluster/message.js';
import { PORT_HEADER_BYTES } from '../src/cluster/port-header.js';
import { Views } from '../src/cluster/views.js';
import type { RgFact } from '../src/fact.js';
import { Runtime } from '../src/runtime/runtime.js';

/** The values of node 1, which get every lock at once; `enter` gives the kinds of messages that something sends. */
class Rig {
  readonly told: RgFact[] = [];
  readonly #runtime = new Runtime((fact) => this.told.push(fact));
  readonly members = new Members(
    [1, 2].map((id) => ({ id, name: `node${id}` })),
    1,
  );
  readonly views: Views;
  readonly #locks = new Locks(this.#runtime, undefined);
  sent: RgMessage[] = [];

  constructor() {
    const channels = new Channels(this.#runtime, this.members, {
      accepted: () => {},
      broadcast: () => {},
      rejected: () => {},
    });
    const parts = { locks: this.#locks, channels, members: this.members };
    this.views = new Views(this.#runtime, parts, 10 * SECOND, () => {});
    this.members.isQuorate = true;
  }

  enter(now: number, body: () => void): readonly string[] {
    this.sent = [];
    this.#runtime.enter(
      now,
      (output) => {
        if (output.kind === 'lock') this.#locks.onCast(output.handle, 0);
        if (output.kind !== 'send') return;
        this.sent.push(readMessage(output.payload.subarray(PORT_HEADER_BYTES)) as RgMessage);
      },
      body,
    );
    return this.sent.map(({ kind }) => kind);
  }

  write(now: number): readonly string[] {
    return this.enter(now, () => this.#runtime.start(this.views.write('key', Uint8Array.of(1))));
  }

  wake(now: number): readonly string[] {
    return this.enter(now, () => this.#runtime.wake());
  }

  hear(now: number, from: number, message: RgMessage): readonly string[] {
    return this.enter(now, () => void this.views.onBroadcast(from, message));
  }

  get pending(): readonly string[] {
    return this.views.inspect().flatMap(({ key, isPending }) => (isPending ? [key] : []));
  }
}

it('a proposal that comes round when its writer has given up is aborted, as cman may have refused to send that', () => {
  const rig = new Rig();
  rig.members.update([1]);
  expect(rig.write(0)).toEqual(['join-view']);
  const [proposal] = rig.sent;
  expect(rig.wake(10 * SECOND)).toEqual(['abort']);
  expect(rig.hear(11 * SECOND, 1, proposal!)).toEqual(['abort']);
  expect(rig.pending).toEqual([]);
});

// Storm 0x31b of gray: a ring that stood still carried a proposal when neither node had quorum, and the abort was refused.
it('a proposal that comes while there is no quorum is waited for by nobody', () => {
  const rig = new Rig();
  const proposal: RgMessage = {
    kind: 'join-view',
    transaction: 0x2_0001,
    key: 'key',
    coordinator: 2,
    view: 1,
    data: Uint8Array.of(1),
  };
  rig.members.isQuorate = false;
  expect(rig.hear(0, 2, proposal)).toEqual([]);
  expect(rig.pending).toEqual([]);
  rig.members.isQuorate = true;
  expect(rig.hear(SECOND, 2, proposal)).toEqual(['vote']);
  expect(rig.pending).toEqual(['key']);
});

// Service chaos, seed 0xba: a writer waited for its abort to come round while the ring was formed anew, and nobody was told.
it('who waits for the end of a proposal says so', () => {
  const rig = new Rig();
  rig.members.update([1, 2]);
  const about = { transaction: 0x2_0001, key: 'key', coordinator: 2, view: 1, data: Uint8Array.of(2) };
  rig.hear(0, 2, { kind: 'join-view', ...about });
  const waits = (): readonly string[] => rig.told.flatMap((fact) => (fact.kind === 'rg.view' ? [fact.event] : []));
  expect([rig.write(SECOND), waits()]).toEqual([[], ['asked']]);
  expect(rig.hear(2 * SECOND, 2, { kind: 'abort', transaction: about.transaction })).toEqual(['join-view']);
  expect(waits()).toEqual(['asked', 'answered', 'asked']);
});
