import { type Errno, type FileInfo, utf8Bytes, utf8Text } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { administratorsPrograms } from '../src/index.js';
import { run, type Surroundings } from './fake-os.js';

const A_FILE: FileInfo = { type: 'file', inode: 1, mode: 0o644, links: 1, uid: 0, gid: 0, size: 7, modifiedAt: 0 };

/** Two file systems, /a and /b, of which /b takes writes or refuses them. */
function twoFileSystems(refusal?: Errno): { readonly files: Map<string, string>; readonly os: Surroundings['os'] } {
  const files = new Map([['/a/x', 'content']]);
  const os: Surroundings['os'] = {
    *stat(path) {
      return files.has(path) ? A_FILE : 'ENOENT';
    },
    *rename(from, to) {
      return from.slice(0, 2) === to.slice(0, 2) ? 'EIO' : 'EXDEV';
    },
    *readFile(path) {
      const text = files.get(path);
      return text === undefined ? 'ENOENT' : utf8Bytes(text);
    },
    *writeFile(path, bytes) {
      if (refusal !== undefined) return refusal;
      files.set(path, utf8Text(bytes));
      return bytes.length;
    },
    *remove(path) {
      return files.delete(path) ? undefined : 'ENOENT';
    },
  };
  return { files, os };
}

function type(line: string, os: Surroundings['os']) {
  return run(administratorsPrograms.get(line.split(' ')[0]!)!, line, { os });
}

describe('mv from one file system to another', () => {
  it('copies the file and removes it', () => {
    const { files, os } = twoFileSystems();
    expect(type('mv /a/x /b/y', os).status).toBe(0);
    expect([...files]).toEqual([['/b/y', 'content']]);
  });

  it('keeps the file when it cannot be copied', () => {
    const { files, os } = twoFileSystems('ENOSPC');
    expect(type('mv /a/x /b/y', os)).toMatchObject({
      status: 1,
      errors: "mv: cannot move `/a/x' to `/b/y': No space left on device\n",
    });
    expect([...files]).toEqual([['/a/x', 'content']]);
  });
});

it('an error without a text of its own is told by its name', () => {
  const { os } = twoFileSystems('EUSERS');
  expect(type('cp /a/x /b/y', os).errors).toBe("cp: cannot create regular file `/b/y': EUSERS\n");
});

it('ls leaves out what is removed while it looks, and complains of what it cannot list', () => {
  const directory = {
    type: 'directory',
    inode: 1,
    mode: 0o755,
    links: 2,
    uid: 0,
    gid: 0,
    size: 4096,
    modifiedAt: 0,
  } as const;
  const os = (names: readonly string[] | Errno): Surroundings['os'] => ({
    *stat(path) {
      return path.endsWith('gone') ? 'ENOENT' : directory;
    },
    *list() {
      return names;
    },
  });
  expect(type('ls /d', os(['a', 'gone', 'b'])).output).toBe('a\nb\n');
  const { status, errors } = type('ls /d', os('EIO'));
  expect([status, errors]).toEqual([2, 'ls: cannot access /d: Input/output error\n']);
});
