import { viewOf } from '@quorate/kernel';

/** Threshold descriptors that a thin unit has. */
const THRESHOLDS = 4;

/** Where the descriptors begin in the logical block provisioning mode page, and how long each is. */
const FIRST_BYTE = 16;
const DESCRIPTOR_BYTES = 8;

const PAGE_BYTES = FIRST_BYTE + DESCRIPTOR_BYTES * THRESHOLDS;

/** THRESHOLD RESOURCE, as parameter codes of the logical block provisioning log page. */
const Resource = { available: 0x01, used: 0x02 } as const;

/** THRESHOLD ARMING: the notification comes when the resource gets scarce, or when its use has grown. */
const Arming = { decreasing: 0, increasing: 1 } as const;

const ENABLED = 0x80;

/**
 * The thresholds of a thin unit: who sets one hears when the room that is left, or that is used, crosses it.
 *
 * A threshold is a range of one threshold set around its count. A decreasing one notifies when what is left falls to the lower
 * end, and is armed again at the upper end; an increasing one the other way round. So it does not speak twice while
 * the value moves to and fro inside the range.
 *
 * Logical block provisioning mode page, 1Ch/02h:
 *
 * offset size field
 *      0    1 SPF 6, page code 1Ch
 *      1    1 subpage code    02h
 *      2    2 page length     of what follows
 *      4    1 SITUA 0         one initiator is told, not all
 *     16      descriptors     1 ENABLED 7, THRESHOLD TYPE 5-3 0 soft, THRESHOLD ARMING 2-0; 1 THRESHOLD RESOURCE; 2 zero;
 *                             u32 THRESHOLD COUNT in threshold sets
 *
 * Source: SBC-3, "Logical block provisioning thresholds" and "Logical Block Provisioning mode page".
 */
export class ProvisioningThresholds {
  /** LBPERE of the read-write error recovery mode page: without it nobody hears of any threshold. */
  isReporting = false;
  /** The mode page as it stands. */
  readonly page: Uint8Array<ArrayBuffer> = emptyPage();
  /** Blocks of a threshold set. */
  readonly #setBlocks: number;
  readonly #armed: boolean[] = new Array<boolean>(THRESHOLDS).fill(false);

  constructor(exponent: number) {
    this.#setBlocks = 2 ** exponent;
  }

  /** SITUA: only the initiator whose command crossed a threshold is told. */
  get tellsOneOnly(): boolean {
    return (this.page[4]! & 1) !== 0;
  }

  /** Whether anything could be crossed that somebody hears of. */
  get isWatching(): boolean {
    if (!this.isReporting) return false;
    for (let i = 0; i < THRESHOLDS; i++) if (this.#isEnabled(i)) return true;
    return false;
  }

  reset(): void {
    this.isReporting = false;
    this.page.set(emptyPage());
  }

  /** Something was set: each threshold that is not beyond its end already is armed. `mapped` blocks of `blocks` have room. */
  arm(mapped: number, blocks: number): void {
    for (let i = 0; i < THRESHOLDS; i++) this.#armed[i] = this.#isEnabled(i) && this.#progress(i, mapped, blocks) < 1;
  }

  /** Thresholds that were crossed since the last look, as offsets of their descriptors in the mode page. */
  crossed(mapped: number, blocks: number): readonly number[] {
    const found: number[] = [];
    for (let i = 0; i < THRESHOLDS; i++) {
      if (!this.#isEnabled(i)) continue;
      const progress = this.#progress(i, mapped, blocks);
      if (this.#armed[i] === true && progress >= 1) {
        this.#armed[i] = false;
        found.push(FIRST_BYTE + DESCRIPTOR_BYTES * i);
      } else if (progress <= 0) this.#armed[i] = true;
    }
    return found;
  }

  #isEnabled(i: number): boolean {
    return (this.page[FIRST_BYTE + DESCRIPTOR_BYTES * i]! & ENABLED) !== 0;
  }

  /** How far the value has gone through the threshold's range, in the direction that matters: 1 and more is crossed. */
  #progress(i: number, mapped: number, blocks: number): number {
    const at = FIRST_BYTE + DESCRIPTOR_BYTES * i;
    const isIncreasing = (this.page[at]! & 0x07) === Arming.increasing;
    const value = this.page[at + 1] === Resource.used ? mapped : blocks - mapped;
    const aboveMinimum = value / this.#setBlocks - (viewOf(this.page).getUint32(at + 4) - 0.5);
    return isIncreasing ? aboveMinimum : 1 - aboveMinimum;
  }
}

/** The bits of the page that MODE SELECT changes, as ones. */
export function changeableThresholdBits(): Uint8Array<ArrayBuffer> {
  const page = emptyPage();
  page[4] = 0x01;
  for (let at = FIRST_BYTE; at < PAGE_BYTES; at += DESCRIPTOR_BYTES) {
    page[at] = 0x87;
    page[at + 1] = 0xff;
    page.fill(0xff, at + 4, at + 8);
  }
  return page;
}

/** Offset of the first descriptor that is enabled for a combination of resource and arming that there is not. */
export function wrongThreshold(page: Uint8Array): number | undefined {
  for (let at = FIRST_BYTE; at < PAGE_BYTES; at += DESCRIPTOR_BYTES) {
    if ((page[at]! & ENABLED) === 0) continue;
    const arming = page[at]! & 0x07;
    if (arming === Arming.decreasing && page[at + 1] === Resource.available) continue;
    if (arming === Arming.increasing && page[at + 1] === Resource.used) continue;
    return at;
  }
  return undefined;
}

function emptyPage(): Uint8Array<ArrayBuffer> {
  const page = new Uint8Array(PAGE_BYTES);
  page[0] = 0x40 | 0x1c;
  page[1] = 0x02;
  page[3] = PAGE_BYTES - 4;
  return page;
}
