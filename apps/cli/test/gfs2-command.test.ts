import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

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
    expect(await gfs2('mkfs', path, '-t', 'my-cluster:vol', '-j', '2', '-J', '8')).toEqual(done);
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
  });
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
      ['mkfs', image, '-t', 'x'],
      'volume.img: -t: found "x", expected cluster:filesystem with exactly one colon',
    ],
    ['a number', ['mkfs', image, '-b', 'many'], '-b: found "many", expected a whole number from 0 to 2147483647'],
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
  });
});
