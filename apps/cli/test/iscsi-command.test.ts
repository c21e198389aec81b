import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connectIscsi } from '@quorate/iscsi/node';
import { Checker } from '@quorate/kernel';
import { decodeKeys, persistentReserveOut, ReserveIn, ReserveOut, synchronizeCache10, write10 } from '@quorate/scsi';
import { checkCapture, invariants, readPcapng } from '@quorate/trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { bundleCli } from './bundled-cli.js';
import { capturedIo } from './captured-io.js';
import { serve } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-iscsi-'));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

async function quorate(...words: readonly string[]) {
  const io = capturedIo();
  const code = await runCommand(words, io);
  return { code, out: io.stdout.text, errors: io.stderr.text };
}

const unitAt = (url: string, lun: number): string => url.replace(/\/0$/, `/${lun}`);

describe('quorate iscsi', () => {
  it('serves files and memory; ls, read and write use them, and what was written is in the files', async () => {
    await quorate('disk', 'create', at('a.vhdx'), '8M', '--block-size', '1M');
    await quorate('disk', 'create', at('b.img'), '1M');
    const { url, stop, io } = await serve(
      '--lun',
      at('a.vhdx'),
      '--lun',
      `${at('b.img')},ro`,
      '--lun',
      'mem:4M,thin,block=4096',
    );
    expect(url).toMatch(/^iscsi:\/\/127\.0\.0\.1:\d+\/iqn\.2024-01\.quorate:disks\/0$/);
    const { out } = await quorate('iscsi', 'ls', url.replace(/\/iqn.*/, ''));
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^.* {2}/, '')),
    ).toEqual([
      expect.stringMatching(/^iqn\.2024-01\.quorate:disks at 127\.0\.0\.1:\d+,1$/),
      'Msft Virtual Disk, 8 MiB, 16384 blocks of 512 bytes',
      'Msft Virtual Disk, 1 MiB, 2048 blocks of 512 bytes',
      'Msft Virtual Disk, 4 MiB, 1024 blocks of 4096 bytes',
    ]);
    const bytes = Uint8Array.from({ length: 5120 }, (_, i) => i * 7);
    writeFileSync(at('bytes'), bytes);
    expect((await quorate('iscsi', 'write', url, at('bytes'), '--lba', '100')).errors).toBe(
      'wrote 10 blocks from block 100 on\n',
    );
    await quorate('iscsi', 'read', url, '--lba', '100', '--blocks', '10', '--out', at('again'));
    expect(readFileSync(at('again'))).toEqual(Buffer.from(bytes));
    writeFileSync(at('too-much'), new Uint8Array(8 * 1024 * 1024));
    expect((await quorate('iscsi', 'write', url, at('too-much'), '--lba', '1')).errors).toContain(
      'found 8388608 bytes, expected at most the 8388096 from block 1 on',
    );
    expect(await quorate('iscsi', 'write', unitAt(url, 1), at('bytes'))).toMatchObject({
      code: 4,
      errors: expect.stringContaining('WRITE(16): status 02h, sense 7/27/00'),
    });
    expect((await quorate('iscsi', 'read', unitAt(url, 2), '--lba', '1024')).errors).toContain(
      '--lba: found 1024, expected less than the 1024 blocks that there are',
    );
    expect(await stop()).toBe(0);
    expect(io.stderr.text).toContain(`logged in to iqn.2024-01.quorate:disks`);
    await quorate('disk', 'convert', at('a.vhdx'), at('a.img'));
    expect(readFileSync(at('a.img')).subarray(51_200, 56_320)).toEqual(Buffer.from(bytes));
    expect(existsSync(at('a.vhdx.lock'))).toBe(false);
  });

  it('lets in who knows the secret, and whom it allows', async () => {
    const { url, stop, io } = await serve(
      '--lun',
      'mem:1M',
      '--chap',
      'somebody:a long secret',
      '--allow',
      'iqn.2024-01.lab:me',
    );
    const withLogin = (login: string): string => url.replace('//', `//${login}@`);
    const me = { initiator: 'iqn.2024-01.lab:me' };
    await (await connectIscsi(withLogin('somebody%a long secret'), me)).close();
    await expect(connectIscsi(withLogin('somebody%another secret'), me)).rejects.toThrow(/login/);
    await expect(connectIscsi(url, me)).rejects.toThrow(/login/);
    await expect(
      connectIscsi(withLogin('somebody%a long secret'), { initiator: 'iqn.2024-01.lab:you' }),
    ).rejects.toThrow(/login/);
    const { code, errors } = await quorate('iscsi', 'ls', withLogin('somebody%wrong'));
    expect(code).toBe(4);
    expect(errors).not.toContain('wrong@');
    await stop();
    expect(io.stderr.text).toMatch(/login of iqn\.2024-01\.lab:me from 127\.0\.0\.1:\d+ refused, 0201/);
  });

  it('keeps reservations beside the image when they are to survive', async () => {
    await quorate('disk', 'create', at('pr.img'), '1M');
    const me = { initiator: 'iqn.2024-01.lab:me', isid: '400000000001' };
    const first = await serve('--lun', at('pr.img'));
    const disk = await connectIscsi(first.url, me);
    await disk.persistentReserveOut(persistentReserveOut(ReserveOut.register, 0, 0n, 0xabcn, { aptpl: true }));
    await disk.close();
    await first.stop();
    expect(first.io.stderr.text).toContain(
      'LUN 0: register by iqn.2024-01.lab:me, generation 1, keys 0xabc, not reserved',
    );
    expect(readFileSync(at('pr.img.aptpl'), 'utf8')).toContain('registration 0000000000000abc');
    const second = await serve('--lun', at('pr.img'));
    const again = await connectIscsi(second.url, me);
    expect(decodeKeys(await again.persistentReserveIn(ReserveIn.readKeys))?.keys).toEqual([0xabcn]);
    await again.close();
    await second.stop();
    writeFileSync(at('pr.img.aptpl'), 'nonsense');
    expect((await quorate('iscsi', 'serve', '--lun', at('pr.img'))).errors).toContain('pr.img.aptpl');
  });

  it.each([
    [['--lun', 'nowhere.img'], 'nowhere.img: ENOENT'],
    [
      ['--lun', 'mem:1M,thick'],
      '--lun: found "thick", expected FILE|mem:SIZE[,thin][,ro][,removable][,block=512|4096][,physical=512|4096]',
    ],
    [['--lun', 'mem:1000'], '--lun: found 1000 bytes, expected a multiple of 512'],
    [['--lun', 'mem:1M', '--portal', 'here'], '--portal: found "here", expected HOST:PORT'],
    [['--lun', 'mem:1M', '--chap', 'nobody'], '--chap: found "nobody", expected USER:SECRET'],
    [['--lun', 'mem:1M', '--iqn', 'disks'], 'found "disks", expected an iSCSI name: iqn.2024-01.example:disk'],
    [[], "required option '--lun <unit>' not specified"],
  ])('serve %j: %s', async (words, message) => {
    const { code, out, errors } = await quorate('iscsi', 'serve', ...words);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(errors).toContain(message);
  });

  it('captures what its initiators and it said', async () => {
    const { url, stop } = await serve('--lun', 'mem:4M', '--pcap', at('session.pcapng'));
    writeFileSync(at('bytes'), new Uint8Array(300_000).fill(0x61));
    await quorate('iscsi', 'write', url, at('bytes'), '--lba', '0');
    await quorate('iscsi', 'read', url, '--lba', '0', '--blocks', '600', '--out', at('again'));
    expect(await stop()).toBe(0);
    const file = readFileSync(at('session.pcapng'));
    const checker = new Checker(invariants);
    checkCapture(file, checker);
    expect(checker.violations).toEqual([]);
    const sizes = [...readPcapng(file)].map(({ bytes }) => bytes.length);
    expect(Math.max(...sizes)).toBe(1514);
    // The data went there and came back.
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(600_000);
  });

  it('captures IPv4 only', async () => {
    const words = ['iscsi', 'serve', '--portal', '[::1]:0', '--lun', 'mem:4M', '--pcap', at('none.pcapng')];
    // Where the host has no IPv6 it comes no further.
    expect((await quorate(...words)).errors).toMatch(
      /^quorate: (--pcap: found --portal at ::1, expected an IPv4 address|--portal: cannot listen on .*)\n$/,
    );
  });

  it('two processes do not serve one image', async () => {
    await quorate('disk', 'create', at('one.vhdx'), '1M');
    const { stop } = await serve('--lun', at('one.vhdx'));
    const { code, errors } = await quorate('iscsi', 'serve', '--lun', at('one.vhdx'));
    expect([code, errors]).toEqual([4, `quorate: ${at('one.vhdx')} is open for writing in process ${process.pid}\n`]);
    await stop();
  });
});

describe('quorate iscsi serve, killed under load', () => {
  let bundle: Awaited<ReturnType<typeof bundleCli>>;
  beforeAll(async () => {
    bundle = await bundleCli();
  });
  afterAll(() => bundle.remove());

  async function start(image: string): Promise<{ readonly server: ChildProcess; readonly url: string }> {
    const words = ['iscsi', 'serve', '--portal', '127.0.0.1:0', '--lun', image];
    const server = spawn(process.execPath, [bundle.main, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [url] = await Promise.race([
      once(createInterface({ input: server.stdout! }), 'line'),
      once(server, 'exit').then(() => Promise.reject(new Error('it ended before it was ready'))),
    ]);
    return { server, url };
  }

  async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    const hasEnded = once(server, 'exit');
    server.kill(signal);
    await hasEnded;
  }

  /** Writes numbers over and over, and gives the last number of each place that has to be there. */
  async function writeUntilKilled(url: string, server: ChildProcess): Promise<ReadonlyMap<number, number>> {
    const disk = await connectIscsi(url);
    // Takes the unit attention of the login.
    await disk.readCapacity();
    const written = new Map<number, number>();
    const durable = new Map<number, number>();
    const good = async (cdb: Uint8Array, data?: Uint8Array): Promise<void> => {
      const { status } = await disk.execute(cdb, 0, data);
      if (status !== 0) throw new Error(`status ${status}`);
    };
    let number = 0;
    const writer = async (lane: number): Promise<void> => {
      for (;;) {
        number += 1;
        const mine = number;
        const lba = LANES * ((mine * 7919) % 1500) + lane;
        const cdb = write10(lba, 1);
        const hasFua = mine % 5 === 0;
        if (hasFua) cdb[1] = 0x08;
        const block = new Uint8Array(512);
        new DataView(block.buffer).setUint32(0, mine);
        await good(cdb, block);
        written.set(lba, mine);
        if (hasFua) durable.set(lba, mine);
        if (mine % 17 !== 0) continue;
        const before = new Map(written);
        await good(synchronizeCache10());
        for (const [at, value] of before) if ((durable.get(at) ?? 0) < value) durable.set(at, value);
      }
    };
    const lanes = Promise.allSettled(Array.from({ length: LANES }, (_, lane) => writer(lane)));
    let hasEnded = false;
    const ended = lanes.then((results) => {
      hasEnded = true;
      return results;
    });
    while (number < 600 && !hasEnded) await new Promise((resolve) => setTimeout(resolve, 1));
    await end(server, 'SIGKILL');
    await ended;
    return durable;
  }

  it.each(['killed.vhdx', 'killed.img'])('%s has what was flushed, and is well', async (name) => {
    const image = at(name);
    await quorate('disk', 'create', image, '16M', ...(name.endsWith('vhdx') ? ['--block-size', '1M'] : []));
    const { server, url } = await start(image);
    const durable = await writeUntilKilled(url, server);
    expect(durable.size).toBeGreaterThan(100);
    // The socket of the killed server is still there, and nobody listens.
    expect(existsSync(`${image}.control`)).toBe(true);
    expect(await quorate('disk', 'resize', image, '17M')).toMatchObject({ code: 0, errors: '' });
    expect((await quorate('disk', 'check', image)).code).toBe(0);
    const second = await start(image);
    const disk = await connectIscsi(second.url);
    const bytes = await disk.read(0, LANES * 1500);
    await disk.close();
    await end(second.server, 'SIGTERM');
    const view = new DataView(bytes.buffer);
    const lost = [...durable].filter(([lba, number]) => view.getUint32(lba * 512) < number);
    expect(lost).toEqual([]);
    expect(await quorate('disk', 'check', image)).toMatchObject({
      code: 0,
      out: expect.not.stringContaining('warning'),
    });
  });
});

const LANES = 8;
