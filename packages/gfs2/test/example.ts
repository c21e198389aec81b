import { check, Gfs2, type Gfs2Input, mkfs } from '@quorate/gfs2';
import { Prng, utf8Bytes, utf8Text } from '@quorate/kernel';

const options = { prng: new Prng(1, 2, 3, 4), wall: { sec: 1_446_127_500, nsec: 0 }, lockProtocol: 'lock_nolock' };
const memory = new Uint8Array(32 << 20);
const read = (at: number, into: Uint8Array) => into.set(memory.subarray(at, at + into.length));
const device = { sizeBytes: memory.length, read, write: (at: number, bytes: Uint8Array) => memory.set(bytes, at) };
const readBlocks = (block: number, count: number) => memory.slice(4096 * block, 4096 * (block + count));
mkfs(options, device);

export const log: string[] = [];
const gfs2 = new Gfs2({ protocol: 'lock_nolock', era: 'rhel6', prng: options.prng });
const inputs: Gfs2Input[] = [
  { kind: 'mount', jid: 0, isFirst: true, options: 'noatime', wall: options.wall },
  { kind: 'operation', id: 1, operation: { kind: 'open', path: '/hello', flags: { write: true, create: true } } },
  { kind: 'operation', id: 2, operation: { kind: 'append', fd: 3, bytes: utf8Bytes('Hello, shared disk') } },
  { kind: 'operation', id: 3, operation: { kind: 'pread', fd: 3, offset: 7, length: 6 } },
  { kind: 'operation', id: 4, operation: { kind: 'close', fd: 3 } },
  { kind: 'unmount', isLast: true },
];
for (const input of inputs) {
  for (const queue = [input]; queue.length > 0; ) {
    gfs2.step(0, queue.shift()!, (output) => {
      if (output.kind === 'write') device.write(4096 * output.block, output.data);
      const data = output.kind === 'read' ? readBlocks(output.block, output.count) : undefined;
      if (output.kind === 'log') log.push(output.text);
      else if (output.kind !== 'result' && 'id' in output) {
        queue.push({ kind: 'io-done', id: output.id, ...(data && { data }) });
      } else if ('result' in output && output.result instanceof Uint8Array) log.push(utf8Text(output.result));
    });
  }
}
log.push(`${check(device).length} findings`);
