import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesEqual } from '@quorate/kernel';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type ByteFile, FileStore, MemoryFile, StoreError } from '../src/index.js';
import { NodeFile } from '../src/node/index.js';

const directory = mkdtempSync(join(tmpdir(), 'scsi-'));
let made = 0;

function newNodeFile(): NodeFile {
  made += 1;
  return new NodeFile(join(directory, `file${made}`), { isNew: true });
}

afterAll(() => rmSync(directory, { recursive: true }));

/** What both kinds of file do alike. */
describe.each([
  ['MemoryFile', (): ByteFile & { close?(): void } => new MemoryFile()],
  ['NodeFile', newNodeFile],
] as const)('%s', (_name, make) => {
  it('agrees with an array on random writes and sizes', () => {
    const write = fc.record({ offset: fc.nat(200_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 90 }) });
    const resize = fc.record({ size: fc.nat(250_000) });
    fc.assert(
      fc.property(fc.array(fc.oneof(write, resize), { maxLength: 12 }), (steps) => {
        const file = make();
        const plain = new Uint8Array(300_000);
        let size = 0;
        for (const step of steps) {
          if ('bytes' in step) {
            file.write(step.offset, step.bytes);
            plain.set(step.bytes, step.offset);
            size = Math.max(size, step.offset + step.bytes.length);
          } else {
            file.resize(step.size);
            plain.fill(0, step.size);
            size = step.size;
          }
        }
        file.flush();
        const found = new Uint8Array(plain.length).fill(0xee);
        file.read(0, found);
        expect(file.size).toBe(size);
        expect(bytesEqual(found, plain)).toBe(true);
        file.close?.();
      }),
      { numRuns: 30 },
    );
  });
});

describe('NodeFile', () => {
  it('what is written is there when it is opened again', () => {
    const file = newNodeFile();
    new FileStore(file, { blocks: 16 }).write(5, new Uint8Array(512).fill(7));
    file.close();
    const again = new NodeFile(file.path, { isReadOnly: true });
    const into = new Uint8Array(512);
    const store = new FileStore(again);
    store.read(5, 1, into);
    expect([store.blocks, into[0], into[511]]).toEqual([16, 7, 7]);
    expect(() => store.write(0, into)).toThrow(StoreError);
    again.close();
  });

  it('refuses what is not there, and to make what is', () => {
    const { path } = newNodeFile();
    expect(() => new NodeFile(path, { isNew: true })).toThrow('EEXIST');
    expect(() => new NodeFile(join(directory, 'absent'))).toThrow('ENOENT');
  });
});
