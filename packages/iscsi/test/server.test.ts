import { connect } from 'node:net';
import { bytesEqual, Prng } from '@quorate/kernel';
import { decodeKeys, persistentReserveOut, ReserveIn, ReserveOut, SparseStore } from '@quorate/scsi';
import { afterEach, describe, expect, it } from 'vitest';
import { itWith } from '../../../tooling/oracle.js';
import { withTgt } from '../../../tooling/tgt.js';
import type { IscsiFact } from '../src/index.js';
import {
  connectIscsi,
  discoverIscsi,
  IscsiServer,
  type IscsiServerOptions,
  parseIscsiUrl,
  ScsiStatusError,
} from '../src/node/index.js';
import { output } from './oracle.js';
import { TARGET } from './rig.js';

const running: IscsiServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(
  options: Partial<IscsiServerOptions> = {},
): Promise<{ url: string; portal: string; facts: IscsiFact[]; server: IscsiServer; store: SparseStore }> {
  const store = new SparseStore({ blocks: 131_072 });
  const facts: IscsiFact[] = [];
  const server = new IscsiServer({
    port: 0,
    targets: [{ name: TARGET, logicalUnits: [{ lun: 0, serial: 'SERVER-1', store }] }],
    observe: (fact) => facts.push(fact),
    limits: { stop: 100_000_000 },
    ...options,
  });
  running.push(server);
  const { port } = await server.listen();
  return { url: `iscsi://127.0.0.1:${port}/${TARGET}/0`, portal: `iscsi://127.0.0.1:${port}`, facts, server, store };
}

function random(length: number): Uint8Array {
  const prng = Prng.derive({ hi: 0, lo: 3 }, 'server');
  return Uint8Array.from({ length }, () => prng.below(256));
}

describe('our initiator over TCP', () => {
  it('finds the disk, writes, reads and flushes', async () => {
    const { url, portal } = await serve();
    expect(await discoverIscsi(portal)).toMatchObject([
      { name: TARGET, addresses: [expect.stringMatching(/^127\.0\.0\.1:\d+,1$/)] },
    ]);
    const disk = await connectIscsi(url);
    expect((await disk.inquiry()).product).toBe('Virtual Disk');
    expect(await disk.readCapacity()).toMatchObject({ blocks: 131_072, blockLength: 512 });
    const bytes = random(5 * 1024 * 1024);
    await disk.write(7, bytes);
    await disk.flush();
    expect(bytesEqual(await disk.read(7, bytes.length / 512), bytes)).toBe(true);
    await disk.close();
  });

  it('reserves, and who may not write hears of it', async () => {
    const { url } = await serve();
    const [holder, other] = await Promise.all([connectIscsi(url), connectIscsi(url)]);
    await holder.persistentReserveOut(persistentReserveOut(ReserveOut.register, 0, 0n, 0x63d2n));
    await holder.persistentReserveOut(persistentReserveOut(ReserveOut.reserve, 5, 0x63d2n, 0n));
    expect(decodeKeys(await other.persistentReserveIn(ReserveIn.readKeys))?.keys).toEqual([0x63d2n]);
    await expect(other.write(0, new Uint8Array(512))).rejects.toThrow(ScsiStatusError);
    await expect(other.write(0, new Uint8Array(512))).rejects.toThrow('WRITE(16): status 18h');
    await Promise.all([holder.close(), other.close()]);
  });

  it('with CHAP both ways', async () => {
    const users = [{ name: 'my-vm1', secret: 'secret-of-12-b' }];
    const mutual = { name: 'disks', secret: 'target-of-12-b' };
    const store = new SparseStore({ blocks: 2048 });
    const target = { name: TARGET, logicalUnits: [{ lun: 0, serial: 'CHAP-1', store }], users, mutual };
    const { url } = await serve({ targets: [target] });
    await expect(connectIscsi(url)).rejects.toThrow('login status 0201');
    const secret = url.replace('iscsi://', 'iscsi://my-vm1%secret-of-12-b@');
    const disk = await connectIscsi(secret, { mutual });
    expect((await disk.readCapacity()).blocks).toBe(2048);
    await disk.close();
    await expect(connectIscsi(secret, { mutual: { ...mutual, secret: 'wrong' } })).rejects.toThrow('did not prove');
  });

  it('digests', async () => {
    const { url, facts } = await serve();
    const disk = await connectIscsi(url, { wishes: { headerDigest: true, dataDigest: true } });
    const bytes = random(100_352);
    await disk.write(0, bytes);
    expect(bytesEqual(await disk.read(0, 196), bytes)).toBe(true);
    await disk.close();
    expect(facts).toMatchObject([{ parameters: { headerDigest: true, dataDigest: true } }, {}, {}]);
  });

  it('a server that stops lets nobody hang', async () => {
    const { url, server } = await serve();
    const disk = await connectIscsi(url);
    await server.close();
    await expect(disk.read(0, 1)).rejects.toThrow('peer-closed');
  });

  it('nobody listens', async () => {
    await expect(connectIscsi(`iscsi://127.0.0.1:1/${TARGET}/0`)).rejects.toThrow('ECONNREFUSED');
  });
});

it('who sends noise, or nothing, or goes without a word is dropped, and nobody else', async () => {
  const { url, facts } = await serve({ limits: { login: 250_000_000, stop: 100_000_000 } });
  const disk = await connectIscsi(url);
  const { port } = parseIscsiUrl(url);
  const ends = ['z'.repeat(1000), 'GET / HTTP/1.1\r\n\r\n'.repeat(20), ''].map((text) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(text);
    return new Promise((resolve) => {
      socket.on('error', resolve).on('close', resolve).resume();
    });
  });
  await Promise.all(ends);
  await disk.write(0, new Uint8Array(512));
  await disk.close();
  const reasons = facts.flatMap((fact) => (fact.kind === 'iscsi.connection-ended' ? [fact.reason] : []));
  expect(reasons.slice(0, 3).sort()).toEqual(
    ['data-segment-too-long', 'data-segment-too-long', 'login-timeout'].sort(),
  );
});

describe('URLs', () => {
  it.each([
    ['iscsi://host/iqn.a:b/3', { host: 'host', port: 3260, target: 'iqn.a:b', lun: 3, user: undefined }],
    [
      'iscsi://me%pass@10.0.0.1:3261/iqn.a/0',
      { host: '10.0.0.1', port: 3261, target: 'iqn.a', lun: 0, user: { name: 'me', secret: 'pass' } },
    ],
    ['iscsi://[fd00::1]:3260/iqn.a/0', { host: 'fd00::1', port: 3260, target: 'iqn.a', lun: 0, user: undefined }],
    ['iscsi://host', { host: 'host', port: 3260, target: undefined, lun: 0, user: undefined }],
  ])('%s', (url, parts) => {
    expect(parseIscsiUrl(url)).toEqual(parts);
  });

  it.each(['http://host', 'iscsi://', 'iscsi://host:0/iqn.a/0', 'iscsi://host/iqn.a/99999', 'iscsi://host/iqn.a/x'])(
    '%s is none',
    (url) => {
      expect(() => parseIscsiUrl(url)).toThrow(/url: found/);
    },
  );
});

describe('real initiators', () => {
  itWith(['iscsi-ls'], 'iscsi-ls lists the target and its unit', async () => {
    const { portal } = await serve();
    const text = await output('iscsi-ls', '-s', portal);
    expect(text).toContain(`Target:${TARGET} Portal:`);
    expect(text).toContain('Type:DIRECT_ACCESS');
  });

  itWith(['qemu-img', 'qemu-io'], 'QEMU copies an image to it and back', async () => {
    const { url, store } = await serve();
    const info = await output('qemu-img', 'info', '-f', 'raw', url);
    // The iSCSI driver of QEMU is a plug-in that may be missing.
    if (info.includes("Unknown protocol 'iscsi'") && process.env.QUORATE_REQUIRE_ORACLES !== '1') return;
    expect(info).toContain('virtual size: 64 MiB');
    const script = ['write -P 0x5a 1M 3M', 'flush', 'read -P 0x5a 1M 3M', 'read -P 0 8M 64k', 'discard 1M 1M'];
    const text = await output('qemu-io', '-f', 'raw', ...script.flatMap((line) => ['-c', line]), url);
    expect(text).not.toContain('failed');
    const written = new Uint8Array(512);
    store.read(4096, 1, written);
    expect(written.every((byte) => byte === 0x5a)).toBe(true);
  });

  itWith(['iscsi-ls'], 'libiscsi proves itself by CHAP', async () => {
    const { portal } = await serve({ discovery: { users: [{ name: 'me', secret: 'secret-of-12-b' }] } });
    expect(await output('iscsi-ls', portal.replace('iscsi://', 'iscsi://me%secret-of-12-b@'))).toContain('Target:');
    expect(await output('iscsi-ls', portal.replace('iscsi://', 'iscsi://me%secret-of-12-c@'))).not.toContain('Target:');
  });
});

itWith(['tgtd', 'tgtadm'], 'our initiator writes and reads on tgt', async () => {
  await withTgt(64 * 1024 * 1024, async (url) => {
    const [discovered] = await discoverIscsi(url.replace(/\/iqn.*$/, ''));
    expect(url).toContain(discovered!.name);
    for (const wishes of [{}, { headerDigest: true, dataDigest: true }, { initialR2T: true, immediateData: false }]) {
      const disk = await connectIscsi(url, { wishes });
      expect((await disk.inquiry()).vendor).toBe('IET');
      const bytes = random(3 * 1024 * 1024);
      await disk.write(5, bytes);
      await disk.flush();
      expect(bytesEqual(await disk.read(5, bytes.length / 512), bytes)).toBe(true);
      await disk.close();
    }
  });
});
