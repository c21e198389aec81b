import { Opcode } from '@quorate/scsi';
import type { Trace } from '@quorate/trace';

const WRITES: ReadonlySet<unknown> = new Set([Opcode.write10, Opcode.write16]);
const SECTOR = 512;

/** Where on the disks of a run a volume lies. */
export interface VolumePlace {
  readonly lun: number;
  /** First sector. */
  readonly start: number;
  readonly blockSize: number;
}

/** Which node of a run wrote each block of a volume last. */
export class BlockWriters {
  /** Ids and names of the nodes that wrote anything, ascending. */
  readonly nodes: readonly { readonly id: number; readonly name: string }[];
  readonly #last = new Map<number, number>();

  constructor(trace: Trace, { lun, start, blockSize }: VolumePlace) {
    const perBlock = blockSize / SECTOR;
    const open = new Map<string, { readonly from: number; readonly to: number }>();
    for (const { kind, node, fields } of trace.records()) {
      const key = `${node} ${fields.tag}`;
      if (kind === 'io.submit' && fields.lun === lun && WRITES.has(fields.opcode)) {
        const from = (Number(fields.lba) - start) / perBlock;
        open.set(key, { from: Math.floor(from), to: Math.ceil(from + Number(fields.blocks) / perBlock) });
      } else if (kind === 'io.done') {
        const write = open.get(key);
        open.delete(key);
        if (write === undefined || fields.status !== 0) continue;
        for (let block = write.from; block < write.to; block++) this.#last.set(block, node);
      }
    }
    const wrote = new Set(this.#last.values());
    this.nodes = trace.header.nodes.filter(({ id }) => wrote.has(id));
  }

  /** Undefined: nobody did. */
  of(block: number): number | undefined {
    return this.#last.get(block);
  }
}
