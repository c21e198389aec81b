import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { type Guest, lacksForGuest, runGuest } from '../../../tooling/linux-guest/guest.js';
import { itUnless } from '../../../tooling/oracle.js';
import { isThorough } from '../../../tooling/thorough.js';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';
import { serve } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-linux-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LINUX: Guest = {
  work: fileURLToPath(new URL('linux-initiator.sh', import.meta.url)),
  programs: ['iscsistart', 'sfdisk', 'mkfs.ext4', 'e2fsck', 'sg_persist'],
  modules: [
    ...['e1000', 'scsi_common', 'scsi_mod', 'crc64', 'crct10dif_common', 'crct10dif_generic', 'crc64-rocksoft'],
    ...['crc64_rocksoft_generic', 'crc-t10dif', 't10-pi', 'sd_mod', 'sg', 'scsi_transport_iscsi', 'libiscsi'],
    ...['libiscsi_tcp', 'iscsi_tcp', 'crc16', 'crc32c_generic', 'libcrc32c', 'mbcache', 'jbd2', 'ext4'],
  ],
};

const NAME = "Linux's own initiator logs in, partitions, makes a file system, mounts it and reads back";

itUnless(
  isThorough ? lacksForGuest(LINUX.programs!) : 'QUORATE_REQUIRE_ORACLES=1 boots a kernel for it',
  NAME,
  async () => {
    const image = join(folder, 'disk.vhdx');
    await runCommand(['disk', 'create', image, '128M', '--block-size', '1M'], capturedIo());
    const { url, io, stop } = await serve('--lun', image);
    const [, port, target] = /:(\d+)\/(.*)\/0$/.exec(url)!;
    const console = await runGuest(folder, { ...LINUX, variables: { PORT: port!, TARGET: target! } });
    await stop();
    const steps = ['logged in', 'partitioned', 'made a file system', 'mounted it', 'read back what it wrote'];
    for (const step of [...steps, 'the file system is clean']) expect(console).toContain(`guest: ${step}`);
    expect(console).toMatch(/1 registered reservation key follows:\s+0xabc/);
    expect(io.stderr.text).toContain('LUN 0: register by iqn.2024-01.guest:linux, generation 1, keys 0xabc');
    const checked = capturedIo();
    expect(await runCommand(['disk', 'check', image], checked)).toBe(0);
    expect(checked.stdout.text).toContain('no errors');
  },
  300_000,
);
