import { concatBytes, fromHex, Prng, viewOf } from '@quorate/kernel';
import { COMMANDS } from '../src/commands/command-set.js';
import { persistentReserveOut, registerAndMove } from '../src/index.js';
import { portOf } from './rig.js';

/** A command as a fuzzer sends it. */
export interface Mutant {
  readonly nexus: number;
  readonly cdb: Uint8Array;
  readonly data: Uint8Array;
}

const LISTS = [
  '0016001000000000' + '00000000000000050000000300000000',
  '00000000' + '0a0a061000000000ffff0000',
  '01000004aabbccdd',
];

/** Draws commands that are nearly right: one of the target's, with a range near an edge, and then some bytes changed. */
export class Mutator {
  readonly #prng: Prng;
  readonly #blocks: number;
  readonly #blockLength: number;

  constructor(seed: number, blocks: number, blockLength: number) {
    this.#prng = Prng.derive({ hi: 0, lo: seed }, 'mutants');
    this.#blocks = blocks;
    this.#blockLength = blockLength;
  }

  next(): Mutant {
    const nexus = 1 + this.#prng.below(3);
    const { cdb, data } = this.#isFirst(6) ? this.#reserveOut(nexus) : this.#command();
    for (let changes = this.#prng.below(4); changes > 0; changes--) this.#change(cdb);
    return { nexus, cdb: this.#isFirst(30) ? cdb.subarray(0, this.#prng.below(cdb.length + 1)) : cdb, data };
  }

  #command(): { cdb: Uint8Array; data: Uint8Array } {
    const { opcode, serviceAction, usage, transfer } = COMMANDS[this.#prng.below(COMMANDS.length)]!;
    const cdb = new Uint8Array(16);
    const view = viewOf(cdb);
    cdb[0] = opcode;
    const is16 = opcode >> 5 === 4;
    if (this.#isFirst(2)) view.setUint32(is16 ? 6 : 2, this.#edge());
    if (usage.length >= 10)
      view.setUint16(usage.length === 10 ? 7 : usage.length === 12 ? 8 : 12, this.#prng.below(20));
    else cdb[4] = this.#prng.below(40);
    if (serviceAction !== undefined) cdb[1] = serviceAction;
    const announced = transfer.direction === 'out' ? transfer.bytes(cdb, this.#blockLength) : 0;
    const length = this.#isFirst(8) ? this.#prng.below(2 * announced + 2) : announced;
    return { cdb: cdb.subarray(0, usage.length), data: this.#bytes(Math.min(length, 64 * 1024)) };
  }

  #reserveOut(nexus: number): { cdb: Uint8Array; data: Uint8Array } {
    const action = this.#prng.below(8) as 0;
    const [own, other] = [this.#isFirst(4) ? 0n : BigInt(nexus), BigInt(this.#prng.below(4))];
    const aptpl = this.#isFirst(3);
    const destination = portOf(1 + this.#prng.below(3));
    return (action as number) === 7
      ? registerAndMove({
          key: own,
          serviceActionKey: other,
          unregister: aptpl,
          aptpl,
          relativeTargetPort: 1,
          destination,
        })
      : persistentReserveOut(action, [1, 3, 5, 6, 7, 8][this.#prng.below(6)]!, own, other, { aptpl });
  }

  /** An LBA at the start, at the end, or anywhere. */
  #edge(): number {
    const near = this.#prng.below(24);
    return [near, Math.max(0, this.#blocks - near), this.#blocks + near][this.#prng.below(3)]!;
  }

  #change(bytes: Uint8Array): void {
    const at = this.#prng.below(bytes.length);
    bytes[at] = this.#isFirst(2) ? bytes[at]! ^ (1 << this.#prng.below(8)) : this.#prng.below(256);
  }

  /** Mostly the same byte all over, with a few others. Sometimes a parameter list. */
  #bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length).fill(this.#prng.below(4));
    if (length === 0) return bytes;
    for (let i = this.#prng.below(6); i > 0; i--) this.#change(bytes.subarray(0, Math.min(length, 64)));
    return this.#isFirst(4) && length >= 24 ? concatBytes(this.#list(), bytes).subarray(0, length) : bytes;
  }

  /** The beginning of a right list of UNMAP, MODE SELECT or SANITIZE. */
  #list(): Uint8Array {
    return fromHex(LISTS[this.#prng.below(LISTS.length)]!);
  }

  /** One in `n`. */
  #isFirst(n: number): boolean {
    return this.#prng.below(n) === 0;
  }
}
