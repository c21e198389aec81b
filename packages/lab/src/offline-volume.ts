import { Gfs2, type Gfs2Output, type Operation, type OperationResults } from '@quorate/gfs2';
import { isErrno, Prng, utf8Bytes } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';

const BLOCK_SIZE = 4096;
const PER_BLOCK = BLOCK_SIZE / 512;

/**
 * A store that is a GFS2 volume, mounted without a cluster (`lock_nolock`) and used at once: no time passes.
 *
 * @throws {Error} when it cannot be mounted, or an operation is refused.
 */
export class OfflineVolume {
  readonly #store: BlockStore;
  readonly #gfs2: Gfs2;
  readonly #queue: Gfs2Output[] = [];
  readonly #results = new Map<number, unknown>();
  #state: 'mounting' | 'mounted' | 'unmounted' = 'mounting';
  #lastOperation = 0;

  constructor(store: BlockStore, wallSec: number) {
    this.#store = store;
    this.#gfs2 = new Gfs2({ blockSize: BLOCK_SIZE, protocol: 'lock_nolock', era: 'rhel6', prng: new Prng(1, 1, 1, 1) });
    const wall = { sec: wallSec, nsec: 0 };
    this.#step({ kind: 'mount', jid: 0, isFirst: true, options: 'lockproto=lock_nolock', wall });
    if (this.#state !== 'mounted') throw new Error('the volume could not be mounted');
  }

  /** @throws {Error} when the operation is refused. */
  call<Kind extends Operation['kind']>(operation: Extract<Operation, { kind: Kind }>): OperationResults[Kind] {
    this.#lastOperation += 1;
    const id = this.#lastOperation;
    this.#step({ kind: 'operation', id, operation });
    const result = this.#results.get(id);
    this.#results.delete(id);
    if (isErrno(result)) throw new Error(`${operation.kind}: ${result}`);
    return result as OperationResults[Kind];
  }

  writeFile(path: string, text: string): void {
    const fd = this.call({ kind: 'open', path, flags: { write: true, create: true, truncate: true } });
    this.call({ kind: 'pwrite', fd, offset: 0, bytes: utf8Bytes(text) });
    this.call({ kind: 'close', fd });
  }

  unmount(): void {
    this.#step({ kind: 'unmount', isLast: true });
    if (this.#state !== 'unmounted') throw new Error('the volume could not be unmounted');
  }

  /** Steps the machine and serves what it asks for, until it asks for nothing more. */
  #step(input: Parameters<Gfs2['step']>[1]): void {
    const emit = (output: Gfs2Output): void => {
      this.#queue.push(output.kind === 'write' ? { ...output, data: output.data.slice() } : output);
    };
    this.#gfs2.step(0, input, emit);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#serve(next, emit);
  }

  #serve(output: Gfs2Output, emit: (output: Gfs2Output) => void): void {
    switch (output.kind) {
      case 'read': {
        const data = new Uint8Array(output.count * BLOCK_SIZE);
        this.#store.read(output.block * PER_BLOCK, output.count * PER_BLOCK, data);
        this.#gfs2.step(0, { kind: 'io-done', id: output.id, data }, emit);
        break;
      }
      case 'write':
        this.#store.write(output.block * PER_BLOCK, output.data);
        this.#gfs2.step(0, { kind: 'io-done', id: output.id }, emit);
        break;
      case 'flush':
        this.#gfs2.step(0, { kind: 'io-done', id: output.id }, emit);
        break;
      case 'mounted':
      case 'unmounted':
        this.#state = output.kind;
        break;
      case 'result':
        this.#results.set(output.id, output.result instanceof Uint8Array ? output.result.slice() : output.result);
        break;
      default:
        break;
    }
  }
}
