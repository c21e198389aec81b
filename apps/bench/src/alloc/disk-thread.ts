import type { MessagePort } from 'node:worker_threads';
import { type Gfs2Output, mkfs, type Volume } from '@quorate/gfs2';
import { Prng } from '@quorate/kernel';
import { BLOCK, ForgetfulDisk } from './forgetful-disk.js';

/** What nodes send to the disk; every request is answered once. */
export type DiskRequest = Extract<Gfs2Output, { kind: 'read' | 'write' | 'flush' }>;

export interface DiskReply {
  readonly id: number;
  /** What was read. */
  readonly bytes?: Uint8Array;
}

/** A disk in memory with an empty file system for so many nodes, which it serves as soon as their requests come. */
export class DiskThread {
  readonly #disk: ForgetfulDisk;

  constructor(mib: number, ports: readonly MessagePort[]) {
    const disk = new ForgetfulDisk(mib);
    this.#disk = disk;
    const options = {
      lockTable: 'bench:storage',
      journals: ports.length,
      journalMiB: 32,
      // Few records: `rindex` is stuffed into its dinode, as the content of files is forgotten.
      ...(mib > 4096 && { rgrpMiB: 2048 }),
      wall: { sec: 1_782_907_200, nsec: 0 },
      prng: new Prng(1, 2, 3, 4),
    };
    mkfs(options, { sizeBytes: disk.sizeBytes, write: (at, bytes) => disk.write(at / BLOCK, bytes) });
    disk.keepJournals(ports.length);
    for (const port of ports) port.on('message', (request: DiskRequest) => port.postMessage(this.#serve(request)));
  }

  /** What is on it by now. */
  volume(): Volume {
    return this.#disk.volume();
  }

  #serve(request: DiskRequest): DiskReply {
    if (request.kind === 'read') return { id: request.id, bytes: this.#disk.read(request.block, request.count) };
    if (request.kind === 'write') this.#disk.write(request.block, request.data);
    return { id: request.id };
  }
}
