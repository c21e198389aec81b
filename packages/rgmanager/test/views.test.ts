import { SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Channels } from '../src/cluster/channels.js';
import { Locks } from '../src/cluster/locks.js';
import { Members } from '../src/cluster/members.js';
import { type RgMessage, readMessage } from '../src/cluster/message.js';
import { PORT_HEADER_BYTES } from '../src/cluster/port-header.js';
import { Views } from '../src/cluster/views.js';
import { Runtime } from '../src/runtime/runtime.js';

it('a proposal that comes round when its writer has given up is aborted, as cman may have refused to send that', () => {
  const runtime = new Runtime(undefined);
  const members = new Members([{ id: 1, name: 'a' }], 1);
  const locks = new Locks(runtime, undefined);
  const channels = new Channels(runtime, 1, { accepted: () => {}, broadcast: () => {}, rejected: () => {} });
  const views = new Views(runtime, { locks, channels, members }, 10 * SECOND, () => {});
  members.update([1]);
  let sent: RgMessage[] = [];
  const enter = (now: number, body: () => void): readonly string[] => {
    sent = [];
    runtime.enter(
      now,
      (output) => {
        if (output.kind === 'lock') locks.onCast(output.handle, 0);
        if (output.kind === 'send') sent.push(readMessage(output.payload.subarray(PORT_HEADER_BYTES)) as RgMessage);
      },
      body,
    );
    return sent.map(({ kind }) => kind);
  };
  expect(enter(0, () => runtime.start(views.write('key', Uint8Array.of(1))))).toEqual(['join-view']);
  const [proposal] = sent;
  expect(enter(10 * SECOND, () => runtime.wake())).toEqual(['abort']);
  expect(enter(11 * SECOND, () => void views.onBroadcast(1, proposal!))).toEqual(['abort']);
  expect(views.inspect().filter(({ isPending }) => isPending)).toEqual([]);
});
