/**
 * Where planted bugs are looked for: scenarios of the whole stack in the simulator, and the storms of a package's own tests,
 * which in a second of processor time see more of one protocol than any scenario does.
 */
export const HUNTING_GROUNDS = [
  'hyperv-blog',
  'isolated-node',
  'iscsi-shared-disk',
  'pause',
  'partition',
  'power-off',
  'calm-storm',
  'jepsen-storm',
  'swarm',
  'gray',
  'volume-work',
  'lock-chaos',
  'service-chaos',
  'totem-storm',
  'totem-chaos',
  'dlm-storm',
  'plock-storm',
  'fence-storm',
] as const;

export type HuntingGround = (typeof HUNTING_GROUNDS)[number];

/** A mistake that somebody could have made: one line of the product, changed while a test bundle is built. */
export interface PlantedBug {
  readonly name: string;
  /** Id of the invariant that has to notice it. */
  readonly rule: string;
  /** What is wrong with the product then, as a sentence. */
  readonly what: string;
  /** Path from the workspace's root. */
  readonly file: string;
  /** Stands in that file exactly once, within one line. */
  readonly find: string;
  readonly replace: string;
  readonly ground: HuntingGround;
}

/**
 * The file's text with the bug in it.
 *
 * @throws {RangeError} when the text to be replaced does not stand there exactly once: the product has changed.
 */
export function plant(source: string, { name, file, find, replace }: PlantedBug): string {
  const times = source.split(find).length - 1;
  if (times !== 1) throw new RangeError(`${name}: found ${times} times in ${file}, expected once: ${find}`);
  return source.replace(find, () => replace);
}
