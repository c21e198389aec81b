import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';
import { serve } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-gfs2-'));
afterAll(() => rmSync(folder, { recursive: true }));

const image = join(folder, 'volume.img');

async function gfs2(...argv: readonly string[]) {
  const io = capturedIo();
  const code = await runCommand(['gfs2', ...argv], io);
  return { code, out: io.stdout.text, errors: io.stderr.text.replaceAll(`${folder}/`, '') };
}

const done = { code: 0, out: '', errors: '' };

describe.each(['volume.img', 'volume.vhdx'])('%s', (name) => {
  const path = join(folder, name);

  beforeAll(async () => {
    expect(await runCommand(['disk', 'create', path, '64M'], capturedIo())).toBe(0);
    const made = await gfs2('mkfs', path, '-t', 'my-cluster:vol', '-j', '2', '-J', '8');
    expect(made).toMatchObject({ code: 0, errors: '' });
    expect(made.out).toMatch(/^Device: +.*\nBlock size: +4096\n(.*\n)*Lock table: +"my-cluster:vol"\nUUID: +.{36}\n$/m);
  });

  it('files go in and come out again', async () => {
    const [from, to] = [join(folder, 'in'), join(folder, 'out')];
    writeFileSync(from, 'hello\n'.repeat(10_000));
    expect(await gfs2('cp', path, from, ':/hello')).toEqual(done);
    expect(await gfs2('cp', path, ':/hello', ':/again')).toEqual(done);
    expect(await gfs2('cp', path, ':/again', to)).toEqual(done);
    expect(readFileSync(to, 'utf8')).toBe(readFileSync(from, 'utf8'));
    expect((await gfs2('cat', path, '/again')).out).toBe(readFileSync(from, 'utf8'));
    expect((await gfs2('ls', path)).out).toBe('again\nhello\n');
    expect((await gfs2('ls', path, '-l')).out).toMatch(/^-rw-r--r-- 1 0 0 60000 \d{4}-\d\d-\d\d [\d:]{8} again\n/);
    expect((await gfs2('stat', path, '/hello')).out).toContain('Size:   60000 bytes in 16 blocks\n');
    expect((await gfs2('list', path)).out).toMatch(
      /^directory\|755\|2\|0\|0\|3864\|8\|\d+\|\d+\|0:0\|\.\nregular file\|644/,
    );
    expect(await gfs2('rm', path, '/again')).toEqual(done);
    expect((await gfs2('ls', path)).out).toBe('hello\n');
    expect((await gfs2('df', path)).out).toMatch(
      /^Filesystem +Blocks +Used .*\n.* 16360 +\d+ +\d+ +\d+% +\d+ +4096\n$/,
    );
    expect(await gfs2('fsck', '-n', path)).toEqual({ code: 0, out: `${path}: clean\n`, errors: '' });
    const quotas = await gfs2('fsck', '--quotas', path);
    expect(quotas).toMatchObject({ code: 4, out: expect.stringContaining('quota of user 0') });
    expect(await gfs2('fsck', '-y', path)).toMatchObject({ code: 0 });
    expect(await gfs2('fsck', '-y', '--quotas', path)).toMatchObject({ code: 1 });
    expect(await gfs2('fsck', '--quotas', path)).toMatchObject({ code: 0 });
    const picture = (await gfs2('visualize', path)).out;
    expect(picture).toMatch(/^<svg .*>\n(.*\n)*<\/svg>\n$/);
    expect(picture).toContain('<title>/hello</title>');
    const svg = join(folder, 'picture.svg');
    expect(await gfs2('visualize', '-o', svg, path)).toEqual(done);
    expect(readFileSync(svg, 'utf8')).toBe(picture);
  });
});

it('a volume on a unit of a target is made, read, changed and mended as one in a file', async () => {
  const image = join(folder, 'served.img');
  expect(await runCommand(['disk', 'create', image, '64M'], capturedIo())).toBe(0);
  const { url, stop } = await serve('--lun', image);
  expect(await gfs2('mkfs', url, '-q', '-t', 'my-cluster:vol', '-J', '8')).toEqual(done);
  expect(await gfs2('mkfs', url, '-q', '-p', 'lock_nolock')).toMatchObject({ code: 4 });
  const from = join(folder, 'sent');
  writeFileSync(from, 'over the network\n'.repeat(1000));
  expect(await gfs2('cp', url, from, ':/sent')).toEqual(done);
  expect(await gfs2('cp', url, ':/sent', ':/twice')).toEqual(done);
  expect((await gfs2('cat', url, '/twice')).out).toBe(readFileSync(from, 'utf8'));
  expect(await gfs2('rm', url, '/twice')).toEqual(done);
  expect((await gfs2('ls', url)).out).toBe('sent\n');
  expect((await gfs2('stat', url, '/sent')).out).toContain('Size:   17000 bytes');
  expect((await gfs2('df', url)).out).toContain(' 16364 ');
  expect(await gfs2('fsck', '-y', '--quotas', url)).toMatchObject({ code: 1 });
  const listed = (await gfs2('list', url)).out;
  expect(await stop()).toBe(0);
  expect((await gfs2('list', image)).out).toBe(listed);
  expect(await gfs2('fsck', '--quotas', image)).toMatchObject({ code: 0 });
  expect(await gfs2('cp', url, from, ':/late')).toMatchObject({
    code: 4,
    errors: expect.stringContaining('ECONNREFUSED'),
  });
});

it('a volume grows with its image, and takes further journals', async () => {
  const path = join(folder, 'grown.img');
  expect(await runCommand(['disk', 'create', path, '64M'], capturedIo())).toBe(0);
  await gfs2('mkfs', path, '-q', '-t', 'my-cluster:vol', '-J', '8');
  expect((await gfs2('grow', path)).errors).toContain('found no room for a resource group of 32 MiB');
  expect(await runCommand(['disk', 'resize', path, '+64M'], capturedIo())).toBe(0);
  expect((await gfs2('grow', path)).out).toBe(`${path}: 1 resource groups more, 63 MiB\n`);
  expect((await gfs2('jadd', path, '-j', '2', '-J', '16')).out).toBe(
    `Filesystem: ${path}\nOld journals: 1\nNew journals: 3\n`,
  );
  expect((await gfs2('jadd', path)).errors).toContain('ENOSPC');
  expect((await gfs2('trim', path)).errors).toContain('EOPNOTSUPP');
  expect(await gfs2('fsck', path)).toEqual({ code: 0, out: `${path}: clean\n`, errors: '' });
});

it('a volume in a VHDX gives back what it does not use', async () => {
  const path = join(folder, 'trimmed.vhdx');
  expect(await runCommand(['disk', 'create', path, '64M'], capturedIo())).toBe(0);
  await gfs2('mkfs', path, '-q', '-t', 'my-cluster:vol', '-J', '8');
  expect((await gfs2('trim', path)).out).toMatch(/^.*: \d{8} bytes were trimmed\n$/);
  expect((await gfs2('trim', path)).out).toBe(`${path}: 0 bytes were trimmed\n`);
});

it('mkfs has the options of mkfs.gfs2, and asks for -O before it overwrites', async () => {
  const path = join(folder, 'again.img');
  expect(await runCommand(['disk', 'create', path, '128M'], capturedIo())).toBe(0);
  const options = ['-p', 'lock_nolock', '-b', '2048', '-c', '2', '-r', '32', '-U', '0123456789abcdef0123456789abcdef'];
  const extended = ['-o', 'sunit=65536,swidth=131072', '-o', 'format=1801,root_inherit_jdata=1'];
  expect(await gfs2('mkfs', '-q', '-K', ...options, ...extended, path, '60000')).toEqual(done);
  expect(await gfs2('fsck', path)).toMatchObject({ code: 0 });
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  expect(await gfs2('mkfs', '-p', 'lock_nolock', path)).toEqual({
    code: 4,
    out: '',
    errors: `quorate: again.img: found the GFS2 file system ${uuid}, expected -O as well\n`,
  });
  expect(await gfs2('mkfs', '-O', '-q', '-p', 'lock_nolock', path)).toEqual(done);
});

describe('a mistake is one line', () => {
  it.each<[string, readonly string[], string]>([
    ['no such file', ['cat', image, '/nope'], 'volume.img: ENOENT: open /nope'],
    ['a directory', ['rm', image, '/'], '/: found a directory, expected a file, or -r'],
    [
      'no path in the volume',
      ['cp', image, 'a', 'b'],
      'found a and b, expected a path in the volume, which begins with a colon',
    ],
    ['no image', ['ls', join(folder, 'absent')], 'absent: ENOENT'],
    [
      'wrong options',
      ['mkfs', '-O', image, '-t', 'x'],
      'volume.img: -t: found "x", expected cluster:filesystem with exactly one colon',
    ],
    ['a number', ['mkfs', image, '-b', 'many'], '-b: found "many", expected a whole number from 0 to 9007199254740991'],
    [
      'an extended option',
      ['mkfs', image, '-o', 'x=1'],
      '-o: found "x=1", expected one of sunit, swidth, align, format, root_inherit_jdata',
    ],
    ['half a stripe', ['mkfs', image, '-o', 'sunit=4096'], '-o: found one of sunit and swidth, expected both'],
  ])('%s', async (_what, argv, message) => {
    const { code, errors } = await gfs2(...argv);
    expect(errors).toBe(`quorate: ${message}\n`);
    expect(code).toBe(4);
  });

  it('what is no volume is told, and fsck has the codes of the original', async () => {
    const zeros = join(folder, 'zeros.img');
    writeFileSync(zeros, '');
    truncateSync(zeros, 1 << 20);
    expect((await gfs2('ls', zeros)).errors).toBe('quorate: zeros.img: EINVAL: the device has no GFS2 superblock\n');
    expect((await gfs2('fsck', zeros)).code).toBe(8);
    const damaged = join(folder, 'damaged.img');
    const bytes = readFileSync(image);
    bytes.fill(0, 17 * 4096, 18 * 4096);
    writeFileSync(damaged, bytes);
    expect(await gfs2('fsck', damaged)).toMatchObject({ code: 4, out: expect.stringMatching(/findings\n$/) });
    expect(await gfs2('fsck', '-n', '-y', damaged)).toMatchObject({ code: 16 });
    expect(await gfs2('fsck', '-y', damaged)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^mended: (.*\n)*.*: clean\n$/),
    });
    expect(await gfs2('fsck', '-y', damaged)).toEqual({ code: 0, out: `${damaged}: clean\n`, errors: '' });
    expect(await gfs2('fsck', '-y', zeros)).toMatchObject({ code: 8 });
  });
});
