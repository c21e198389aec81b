import { Opcode } from '../opcode.js';

/** What others may still do while one nexus holds the unit by RESERVE. Source: SPC-2, "Reservations". */
const ALLOWED_TO_OTHERS: ReadonlySet<number> = new Set([
  Opcode.inquiry,
  Opcode.reportLuns,
  Opcode.requestSense,
  Opcode.logSense,
  Opcode.release6,
  Opcode.release10,
]);

/** The reservation of the old kind: one nexus holds the whole logical unit, from RESERVE to RELEASE. */
export class Spc2Reservation {
  /** Number of the nexus, undefined when nobody holds it. */
  #holder: number | undefined;

  get holder(): number | undefined {
    return this.#holder;
  }

  /** Whether a command of `nexus` conflicts. PERSISTENT RESERVE IN and OUT conflict even for the holder. */
  conflicts(cdb: Uint8Array, nexus: number): boolean {
    if (this.#holder === undefined) return false;
    const opcode = cdb[0]!;
    if (opcode === Opcode.persistentReserveIn || opcode === Opcode.persistentReserveOut) return true;
    if (this.#holder === nexus || ALLOWED_TO_OTHERS.has(opcode)) return false;
    return !(opcode === Opcode.preventAllowMediumRemoval && (cdb[4]! & 0x03) === 0);
  }

  /** RESERVE of a nexus that does not conflict. */
  reserve(nexus: number): void {
    this.#holder = nexus;
  }

  /** RELEASE, or the end of the nexus; without effect for anybody but the holder. */
  release(nexus: number): void {
    if (this.#holder === nexus) this.#holder = undefined;
  }

  /** LUN RESET and power loss. */
  reset(): void {
    this.#holder = undefined;
  }
}
