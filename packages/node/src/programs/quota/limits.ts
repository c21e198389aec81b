import type { AccountKind } from '../accounts.js';

/** Of a user or group on one file system, in KiB, which is what these programs count in. */
export interface Usage {
  readonly used: number;
  readonly soft: number;
  readonly hard: number;
}

/** A record in blocks of the file system. */
interface Blocks {
  readonly value: number;
  readonly warn: number;
  readonly limit: number;
}

export function usageOf({ value, warn, limit }: Blocks, blockSize: number): Usage {
  const perBlock = blockSize / 1024;
  return { used: value * perBlock, soft: warn * perBlock, hard: limit * perBlock };
}

export function hasLimits({ soft, hard }: Usage): boolean {
  return soft > 0 || hard > 0;
}

/** Whether a limit is passed. */
export function isOver({ used, soft, hard }: Usage): boolean {
  return (soft > 0 && used > soft) || (hard > 0 && used >= hard);
}

/** What `-u` and `-g` ask for: users, when nothing is said. */
export function typesOf(flags: ReadonlySet<string>): readonly AccountKind[] {
  if (!flags.has('g')) return ['user'];
  return flags.has('u') ? ['user', 'group'] : ['group'];
}
