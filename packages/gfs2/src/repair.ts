import type { CheckPass, Finding } from './check/finding.js';
import type { PendingWork } from './check/fix.js';
import { hasQuotaRecords } from './check/quotas.js';
import { type Examination, examine } from './check.js';
import { geometryOf } from './ondisk/geometry.js';
import { ImageFixer } from './repair/image-fixer.js';
import { mountForRepair, type RepairWorld } from './repair/mount-for-repair.js';
import { relink } from './repair/relink.js';
import type { RepairDevice } from './repair/repair-device.js';
import { restoreData } from './repair/restore-data.js';

/** What a repair has found, and what of it is still so. */
export interface RepairResult {
  /** Everything that was wrong at any time, each said once. */
  readonly found: readonly Finding[];
  readonly left: readonly Finding[];
}

export interface RepairOptions extends RepairWorld {
  /**
   * Whether the quota records are to say what users and groups have. Default: when something else was mended and the records
   * were in use, as what is taken from an inode is its owner's no longer.
   */
  readonly hasQuotas?: boolean;
}

/** In the order of fsck.gfs2: each pass relies on those before it. */
const PASSES: readonly CheckPass[] = [
  'initialize',
  'rindex',
  'pass1',
  'pass1b',
  'reconcile',
  'pass2',
  'pass3',
  'pass4',
  'statfs',
  'quota',
];

/** Names are entered again when the bitmaps are right, and before anything is taken for nameless. */
const RELINK_BEFORE = PASSES.indexOf('pass2');

/** Examinations before it gives up; damage seldom takes more than ten. */
const MAX_ROUNDS = 64;

/** Findings of one examination; those beyond are found by the next. */
const LIMIT = 20_000;

/**
 * Mends a file system that nobody has mounted, as `fsck.gfs2 -y` does: replays journals, then examines it again and again and
 * mends what the first pass with something to mend has found. What cannot be read goes, names that are lost go to lost+found.
 *
 * Cost: each round reads all metadata.
 */
export function repair(device: RepairDevice, options: RepairOptions): RepairResult {
  const found = new Map<string, Finding>();
  let pending: PendingWork = { entries: [], copies: [] };
  let before = '';
  let isCounting = false;
  for (let round = 0; ; round++) {
    const examination = examine(device, { limit: LIMIT, hasQuotas: isCounting });
    const { findings, superblock } = examination;
    for (const finding of findings) found.set(finding.text, finding);
    const state = findings.map(({ text }) => text).join('\n');
    const pass = firstPass(examination);
    const isRelinking = pending.entries.length + pending.copies.length > 0 && pass >= RELINK_BEFORE;
    const isStuck = state === before || pass === PASSES.length;
    const isRight = findings.length === 0 && !isCounting && !isRelinking;
    if (isRight && (options.hasQuotas ?? (found.size > 0 && hasQuotaRecords(device)))) {
      isCounting = true;
      continue;
    }
    if (superblock === undefined || round === MAX_ROUNDS || (isStuck && !isRelinking)) {
      return { found: [...found.values()], left: findings };
    }
    before = state;
    if (isRelinking) {
      const { entries, copies } = pending;
      pending = { entries: [], copies: [] };
      mountForRepair(device, superblock.blockSize, options, function* (fs) {
        yield* restoreData(fs, copies);
        yield* relink(fs, entries);
      });
      continue;
    }
    const { rgrps, fixes } = examination;
    const geometry = geometryOf(superblock.blockSize);
    const fixer = new ImageFixer(device, geometry, rgrps, superblock.rootDir, pending, options);
    for (const [finding, fix] of fixes) if (PASSES.indexOf(finding.pass) === pass) fix(fixer);
  }
}

/** The first pass with something that can be mended; the number of passes when there is none. */
function firstPass({ fixes }: Examination): number {
  return Math.min(PASSES.length, ...fixes.map(([{ pass }]) => PASSES.indexOf(pass)));
}
