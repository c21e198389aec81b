import type { Prng } from '@quorate/kernel';
import type { MkfsOptions } from '../src/mkfs/options.js';
import { formatUuid } from '../src/mkfs/report.js';

/** A device and what to make on it, drawn from a seed. Some do not fit. */
export interface RandomGeometry {
  readonly sizeBytes: number;
  readonly options: Omit<MkfsOptions, 'wall' | 'prng'>;
  /** The same for `mkfs.gfs2`, the device left out. */
  readonly args: readonly string[];
}

/** Sizes, options and what they depend on: every option of mkfs.gfs2 that decides what is where. */
export function randomGeometry(prng: Prng): RandomGeometry {
  const maybe = (draw: () => number): number | undefined => (prng.below(2) === 0 ? undefined : draw());
  const blockSize = 512 << prng.below(4);
  const sizeBytes = (24 << 20) + 512 * prng.below(300_000);
  const unitBytes = blockSize << prng.below(5);
  const options = {
    blockSize,
    journals: 1 + prng.below(4),
    journalMiB: maybe(() => 8 + prng.below(5)),
    rgrpMiB: maybe(() => 32 + prng.below(40)),
    quotaChangeMiB: maybe(() => 1 + prng.below(3)),
    format: 1801 + prng.below(2),
    isRootJournaled: prng.below(4) === 0,
    blocks: prng.below(4) === 0 ? Math.floor(sizeBytes / blockSize) - prng.below(2000) : undefined,
    stripe: prng.below(3) === 0 ? { unitBytes, widthBytes: unitBytes * (1 + prng.below(6)) } : undefined,
    uuid: Uint8Array.from({ length: 16 }, () => prng.below(256)),
    ...(prng.below(2) === 0
      ? { lockProtocol: 'lock_nolock' }
      : { lockProtocol: 'lock_dlm', lockTable: `alpha:vol${prng.below(100)}` }),
  };
  const present = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { sizeBytes, options: present, args: argsOf(options) };
}

type Drawn = { readonly [Key in keyof MkfsOptions]?: MkfsOptions[Key] | undefined };

function argsOf(options: Drawn): string[] {
  const { stripe, lockTable } = options;
  const extended = [`format=${options.format}`, `root_inherit_jdata=${Number(options.isRootJournaled)}`];
  if (stripe !== undefined) extended.push(`sunit=${stripe.unitBytes}`, `swidth=${stripe.widthBytes}`);
  const letters: readonly (readonly [string, number | string | undefined])[] = [
    ['-b', options.blockSize],
    ['-j', options.journals],
    ['-J', options.journalMiB],
    ['-r', options.rgrpMiB],
    ['-c', options.quotaChangeMiB],
    ['-p', options.lockProtocol],
    ['-t', lockTable],
    ['-U', formatUuid(options.uuid!)],
    ['-o', extended.join()],
  ];
  return letters.flatMap(([letter, value]) => (value === undefined ? [] : [letter, String(value)]));
}
