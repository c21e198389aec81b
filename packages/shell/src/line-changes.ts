/** Lines from `start` to before `end` that became those from `newStart` to before `newEnd`, counted from 0. */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/** Changes that lie close together, with the lines around them. */
export interface Hunk extends Change {
  readonly changes: readonly Change[];
}

/**
 * The fewest lines that change a text into another (Myers, "An O(ND) Difference Algorithm and Its Variations"): the way through the
 * edit graph that reaches its end in the fewest steps, of which every one is kept.
 */
export function changesBetween(before: readonly string[], after: readonly string[]): readonly Change[] {
  const ways: Map<number, number>[] = [];
  let furthest = new Map([[1, 0]]);
  for (let steps = 0; ; steps++) {
    ways.push(furthest);
    const next = new Map<number, number>();
    for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
      let x = startOn(furthest, diagonal, steps);
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      next.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return joined(wayBack(ways, before, after));
    }
    furthest = next;
  }
}

/** Down from the diagonal above, or to the right from the one below: from whichever came further. */
function startOn(furthest: ReadonlyMap<number, number>, diagonal: number, steps: number): number {
  const [below, above] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1];
  return diagonal === -steps || (diagonal !== steps && below < above) ? above : below + 1;
}

/** Steps from the end to the beginning: each removes a line or adds one. */
function wayBack(
  ways: readonly ReadonlyMap<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Change[] {
  const steps: Change[] = [];
  let [x, y] = [before.length, after.length];
  for (let step = ways.length - 1; step > 0; step--) {
    const furthest = ways[step]!;
    const diagonal = x - y;
    const [below, above] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1];
    const isAdded = diagonal === -step || (diagonal !== step && below < above);
    const oldX = isAdded ? above : below;
    const oldY = oldX - (isAdded ? diagonal + 1 : diagonal - 1);
    const change = { start: oldX, newStart: oldY };
    steps.unshift(isAdded ? { ...change, end: oldX, newEnd: oldY + 1 } : { ...change, end: oldX + 1, newEnd: oldY });
    [x, y] = [oldX, oldY];
  }
  return steps;
}

/** Steps that touch are one change. */
function joined(steps: readonly Change[]): readonly Change[] {
  const changes: Change[] = [];
  for (const step of steps) {
    const last = changes.at(-1);
    if (last?.end === step.start && last.newEnd === step.newStart) {
      changes[changes.length - 1] = { ...last, end: step.end, newEnd: step.newEnd };
    } else changes.push(step);
  }
  return changes;
}

/** @param context - lines around a change; changes whose lines meet are one hunk. */
export function hunksOf(changes: readonly Change[], lines: number, context: number): readonly Hunk[] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && change.start - last.end <= 2 * context) groups.at(-1)!.push(change);
    else groups.push([change]);
  }
  return groups.map((group) => {
    const [first, last] = [group[0]!, group.at(-1)!];
    const before = Math.min(context, first.start);
    const behind = Math.min(context, lines - last.end);
    return {
      start: first.start - before,
      end: last.end + behind,
      newStart: first.newStart - before,
      newEnd: last.newEnd + behind,
      changes: group,
    };
  });
}
