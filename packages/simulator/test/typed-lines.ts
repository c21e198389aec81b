import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { hypervBlogTopology, type Lab, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect } from 'vitest';
import { Simulator } from '../src/index.js';

/** What is typed, where, and what comes of it. */
export type Line = readonly [machine: string, command: string, expected: RegExp];

type Answered = readonly (readonly [Line, string])[];

/** Types the lines one after the other on the walk-through's cluster, which has just booted. */
export function expectAnswers(lines: readonly Line[]): void {
  const scenario: Scenario<Answered> = {
    name: 'typed-lines',
    title: 'what an administrator types',
    kinds: [],
    script: (lab) => type(lab, lines),
  };
  const topology = hypervBlogTopology(administratorsPrograms);
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  for (const [[machine, command, expected], output] of run.result as Answered) {
    expect(output, `${machine}# ${command}`).toMatch(expected);
  }
}

function* type(lab: Lab, lines: readonly Line[]): Task<Answered> {
  lab.powerOn(...lab.machines);
  yield* lab.wait(70 * SECOND);
  const found: (readonly [Line, string])[] = [];
  for (const line of lines) {
    const done = yield* lab.exec(line[0], line[1]);
    found.push([line, done === undefined ? 'no answer' : done.output + done.errors]);
    yield* lab.wait(SECOND);
  }
  return found;
}
