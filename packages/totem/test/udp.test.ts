import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCorosyncConf } from '../src/corosync/index.js';
import { CorosyncNode, type NodeOutput, RingIdFile } from '../src/node/index.js';

const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'quorate-udp-'));
  undo.push(() => rmSync(path, { recursive: true }));
  return path;
};

const undo: (() => void)[] = [];
afterEach(() => {
  for (const act of undo.splice(0).reverse()) act();
});

describe('the ring id file', () => {
  it('holds 8 bytes, and keeps the sequence over restarts', () => {
    const file = new RingIdFile(directory(), 3);
    expect(file.load()).toBe(0);
    file.store(0x1234);
    expect(file.path).toMatch(/\/ringid_3$/);
    expect(readFileSync(file.path).toString('hex')).toBe('3412000000000000');
    expect(file.load()).toBe(0x1234);
  });

  it('of another size begins anew', () => {
    const file = new RingIdFile(directory(), 3);
    writeFileSync(file.path, 'abc');
    expect(file.load()).toBe(0);
    expect(readFileSync(file.path)).toHaveLength(8);
  });

  it('that cannot be written is an error of the system', () => {
    const file = new RingIdFile(join(directory(), 'absent'), 3);
    expect(() => file.load()).toThrow('ENOENT');
  });
});

/** A port that nobody had a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
}

function confOf(port: number, transport: string, nodes: readonly string[]): string {
  const list = nodes.map((address, i) => `node {\nring0_addr: ${address}\nnodeid: ${i + 1}\n}\n`);
  const link = `interface {\nmcastport: ${port}\nmcastaddr: 239.255.77.77\n}\n`;
  return `totem {\nversion: 2\ntransport: ${transport}\ntoken: 1000\n${link}}\nnodelist {\n${list.join('')}}\n`;
}

class Peer {
  readonly node: CorosyncNode;
  readonly said: string[] = [];
  #heard = (): void => {};

  constructor(conf: string, nodeId: number) {
    const onOutput = (output: NodeOutput): void => this.#onOutput(output);
    this.node = new CorosyncNode({ conf: parseCorosyncConf(conf), nodeId, stateDirectory: directory(), onOutput });
    undo.push(() => this.node.close());
  }

  /** Resolves when it has said that. */
  async says(text: string): Promise<void> {
    while (!this.said.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  #onOutput(output: NodeOutput): void {
    if (output.kind === 'configuration' && output.type === 'regular') this.said.push(`ring of ${output.members}`);
    else if (output.kind === 'message') this.said.push(`${output.from.node}: ${output.payload.length} bytes`);
    else if (output.kind === 'confchg') this.said.push(`group of ${output.members.map(({ node }) => node)}`);
    else this.said.push(output.kind);
    this.#heard();
  }
}

describe.each(['udpu', 'udp'])('over %s', (transport) => {
  it('three nodes form a ring, speak in one order, and one goes', async () => {
    const conf = confOf(await freePort(), transport, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    const peers = [1, 2, 3].map((id) => new Peer(conf, id));
    for (const peer of peers) await peer.node.start();
    for (const peer of peers) await peer.says('ring of 1,2,3');
    for (const peer of peers) await peer.says('synced');
    for (const [i, peer] of peers.entries()) peer.node.step({ kind: 'join', group: 'g', pid: i });
    for (const peer of peers) await peer.says('group of 1,2,3');
    for (const peer of peers) peer.said.length = 0;
    const sizes = [1, 1000, 100_000, 1_000_000];
    for (const [i, size] of sizes.entries()) {
      const payload = new Uint8Array(size);
      peers[i % 3]!.node.step({ kind: 'mcast', group: 'g', pid: i % 3, payload });
    }
    for (const peer of peers) await peer.says('1: 1000000 bytes');
    expect(peers[1]!.said).toEqual(peers[0]!.said);
    expect(peers[2]!.said).toEqual(peers[0]!.said);
    peers[0]!.node.step({ kind: 'depart' });
    for (const peer of peers.slice(1)) await peer.says('ring of 2,3');
    expect(peers[0]!.said.at(-1)).toBe('left');
  });
});

describe('a node on UDP', () => {
  it('is heard again when it comes back', async () => {
    const conf = confOf(await freePort(), 'udpu', ['127.0.0.1', '127.0.0.2']);
    const [one, two] = [new Peer(conf, 1), new Peer(conf, 2)];
    for (const peer of [one, two]) await peer.node.start();
    await one.says('ring of 1,2');
    two.node.close();
    await one.says('ring of 1');
    one.said.length = 0;
    const back = new Peer(conf, 2);
    await back.node.start();
    for (const peer of [one, back]) await peer.says('ring of 1,2');
  });

  it('starts though no way leads to another one', async () => {
    const peer = new Peer(confOf(await freePort(), 'udpu', ['127.0.0.1', '192.0.2.1']), 1);
    await peer.node.start();
    await peer.says('ring of 1');
  });

  it('does not hear who is not in its nodelist', async () => {
    const port = await freePort();
    const peer = new Peer(confOf(port, 'udpu', ['127.0.0.1']), 1);
    await peer.node.start();
    await peer.says('synced');
    const stranger = createSocket('udp4');
    undo.push(() => stranger.close());
    stranger.bind(0, '127.0.0.9');
    await once(stranger, 'listening');
    stranger.send('hello', port, '127.0.0.1');
    const listed = createSocket('udp4');
    undo.push(() => listed.close());
    listed.bind(0, '127.0.0.1');
    await once(listed, 'listening');
    listed.send('hello', port, '127.0.0.1');
    await peer.says('reject');
    expect(peer.node.inspect().totem.rejects).toEqual({ 'too-short': 1 });
  });

  it('that is not in the nodelist is refused', () => {
    expect(() => new Peer(confOf(5405, 'udpu', ['127.0.0.1']), 2)).toThrow(
      'nodeId: found "2", expected one of the nodelist: 1',
    );
  });

  it('whose address is not this machine’s does not start', async () => {
    const peer = new Peer(confOf(await freePort(), 'udpu', ['192.0.2.1']), 1);
    await expect(peer.node.start()).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });

  it('hears nothing and says nothing once it is closed', async () => {
    const peer = new Peer(confOf(await freePort(), 'udpu', ['127.0.0.1']), 1);
    await peer.node.start();
    await peer.says('synced');
    peer.node.close();
    const { length } = peer.said;
    peer.node.step({ kind: 'join', group: 'g', pid: 1 });
    expect(peer.said.length).toBe(length);
  });
});
