import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { decodeClvmdMessage, encodeClvmdMessage } from '../src/stack/clvmd-message.js';
import { ClvmdPeers } from '../src/stack/clvmd-peers.js';

const RESOURCE = 'x'.repeat(64);

/** Node 1 of three, and what it sends, does and says. */
class Rig {
  members: number[] = [1, 2, 3];
  listening: number[] = [1, 2, 3];
  now = 0;
  readonly log: string[] = [];
  readonly peers: ClvmdPeers;

  constructor(why?: string) {
    this.peers = new ClvmdPeers(1, {
      send: (to, payload) => {
        const message = decodeClvmdMessage(payload)!;
        this.log.push(
          `to ${to}: ${message.kind}${message.kind === 'reply' ? ` ${message.status} ${message.text}` : ''}`,
        );
      },
      now: () => this.now,
      members: () => this.members,
      listening: () => this.listening,
      run: (command, _resource, done) => {
        this.log.push(command);
        done(why);
      },
      died: (node) => this.log.push(`${node} has died`),
    });
    this.peers.start();
  }

  ask(): void {
    this.peers.onAllNodes('activate', RESOURCE, (errors) =>
      this.log.push(`done ${errors.map(({ node, text }) => `${node}: ${text}`).join(', ')}`),
    );
  }

  reply(from: number, text = '', transaction = 1, client = 1): void {
    const status = text === '' ? 0 : 5;
    this.peers.message(from, encodeClvmdMessage({ kind: 'reply', transaction, client, status, text }));
  }

  /** What was logged since. */
  told(): string[] {
    return this.log.splice(0);
  }
}

describe('clvmd and its peers', () => {
  it('says its version at its start, and counts on who listens then or says its version later', () => {
    const rig = new Rig();
    expect(rig.told()).toEqual(['to 0: version']);
    rig.members.push(4);
    expect(rig.peers.down()).toEqual([4]);
    rig.peers.message(4, encodeClvmdMessage({ kind: 'version', version: [0, 2, 0] }));
    expect(rig.peers.down()).toEqual([]);
    rig.listening = [1, 2];
    rig.peers.portChanged();
    expect([rig.told(), rig.peers.down()]).toEqual([
      ['3 has died', '4 has died'],
      [3, 4],
    ]);
    rig.peers.message(4, encodeClvmdMessage({ kind: 'version', version: [1, 0, 0] }));
    expect(rig.peers.down()).toEqual([3, 4]);
  });

  it('a node that was lost comes back without', () => {
    const rig = new Rig();
    rig.members = [1, 2];
    rig.peers.membersChanged();
    rig.members = [1, 2, 3];
    rig.peers.membersChanged();
    expect(rig.peers.down()).toEqual([3]);
  });

  it('asks all, does it itself, and hears of each; the last error comes first', () => {
    const rig = new Rig('busy');
    rig.told();
    rig.ask();
    expect(rig.told()).toEqual(['to 0: lock-volume', 'activate']);
    rig.reply(2, 'in use');
    rig.reply(2);
    rig.reply(3, '', 9);
    rig.reply(3, '', 1, 2);
    expect(rig.told()).toEqual([]);
    rig.reply(3);
    expect(rig.told()).toEqual(['done 2: in use, 1: busy']);
  });

  it('does for others what they ask, and not what it asked itself', () => {
    const rig = new Rig('Device or resource busy');
    rig.told();
    const ask = encodeClvmdMessage({
      kind: 'lock-volume',
      transaction: 1,
      client: 2,
      command: 'deactivate',
      resource: RESOURCE,
    });
    rig.peers.message(1, ask);
    rig.peers.message(2, ask);
    expect(rig.told()).toEqual(['deactivate', 'to 2: reply 16 Device or resource busy']);
  });

  it('who does not answer within 60 s has timed out; who has left is not missed', () => {
    const rig = new Rig();
    rig.told();
    rig.ask();
    rig.members = [1, 2];
    rig.now = rig.peers.deadline();
    expect(rig.now).toBe(60 * SECOND);
    rig.peers.wakeIfDue(rig.now - 1);
    rig.peers.wakeIfDue(rig.now);
    expect(rig.told().at(-1)).toBe('done 2: Command timed out');
    expect(rig.peers.deadline()).toBe(Infinity);
  });

  it('when the cluster is gone nobody waits any more', () => {
    const rig = new Rig();
    rig.ask();
    rig.peers.clear();
    expect(rig.told().at(-1)).toBe('done 1: Lock was not granted');
  });
});
