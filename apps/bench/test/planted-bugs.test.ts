import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stackInvariants } from '@quorate/lab';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { PLANTED_BUGS } from '../src/planted-bugs/bugs.js';
import { workspaceRoot } from '../src/planted-bugs/mutated-bundle.js';
import { type PlantedBug, plant } from '../src/planted-bugs/planted-bug.js';
import { huntFor } from '../src/planted-bugs/run-planted-bugs.js';

function sourceOf({ file }: PlantedBug): string {
  return readFileSync(join(workspaceRoot(), file), 'utf8');
}

function bugNamed(name: string): PlantedBug {
  return PLANTED_BUGS.find((bug) => bug.name === name)!;
}

describe('the table of planted bugs', () => {
  it.each(PLANTED_BUGS.map((bug) => [bug.name, bug] as const))('%s still fits its file', async (_, bug) => {
    const planted = plant(sourceOf(bug), bug);
    expect(planted.split('\n').length).toBe(sourceOf(bug).split('\n').length);
    expect(planted).not.toBe(sourceOf(bug));
    await transform(planted, { loader: 'ts' });
  });

  it('has each name once, and rules that are checked', () => {
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
    // Goals of a scenario beside the invariants.
    const rules = [...stackInvariants.map(({ id }) => id), 'S26', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6'];
    for (const { rule } of PLANTED_BUGS) expect(rules).toContain(rule);
  });

  it('stands in docs/RULES.md, with what each bug took', () => {
    const doc = readFileSync(join(workspaceRoot(), 'docs/RULES.md'), 'utf8');
    const rows = [
      ...doc.matchAll(
        /^\| `([\w-]+)` \| .* \| ([\w.]+) \| ([\w-]+) \| \d+ \| [\d.]+ \| *(?:\d+|none)? *\| *[\d–]* *\|$/gm,
      ),
    ];
    const expected = PLANTED_BUGS.map(({ name, rule, ground }) => [name, rule, ground]);
    expect(rows.map(([, name, rule, ground]) => [name, rule, ground])).toEqual(expected);
  });

  it.each([
    ['is gone', 'nothing of it', 'found 0 times'],
    ['stands there twice', 'find find', 'found 2 times'],
  ])('a bug whose line %s is refused', (_, source, message) => {
    expect(() => plant(source, { ...PLANTED_BUGS[0]!, find: 'find' })).toThrow(message);
  });
});

describe('a hunt', () => {
  it('finds a bug that is planted, and nothing where there is none', async () => {
    const bug = bugNamed('transitional-of-newcomers');
    expect((await huntFor(bug, 3)).last.found?.invariant).toBe('S4');
    const { runs, last } = await huntFor({ ground: bug.ground, rule: bug.rule }, 3);
    expect([runs, last.found, last.first]).toEqual([3, undefined, undefined]);
  }, 180_000);
});
