import { parseSeed, SECOND } from '@quorate/kernel';
import { FreeRun, plainTopology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const newLab = (): Simulator =>
  new Simulator({
    scenario: new FreeRun(),
    topology: plainTopology({ machines: 2, programs: administratorsPrograms }),
    seed: parseSeed('1')!,
    invariants: [],
  });

it('what is typed beside the script is answered, and no more time passes than it takes', () => {
  const lab = newLab();
  lab.run(31 * SECOND);
  expect(lab.exec('node1', 'hostname')).toMatchObject({ status: 0, output: 'node1\n' });
  const before = lab.now();
  expect(lab.exec('node1', 'ping -c2 10.0.0.2')?.output).toContain('2 received');
  expect((lab.now() - before) / SECOND).toBeCloseTo(1, 1);
  expect(lab.exec('node1', 'ping -c9 10.0.0.2', SECOND)).toBeUndefined();
  lab.command({ kind: 'power-off', machine: 'node2' });
  expect(lab.exec('node2', 'hostname')).toBeUndefined();
  expect(lab.exec('node1', 'ping -c1 -W1 10.0.0.2')).toMatchObject({ status: 1 });
});

it('it is part of the run: the same twice is the same hash, and something else another', () => {
  const hashOf = (command: string): string => {
    const lab = newLab();
    lab.run(31 * SECOND);
    lab.exec('node1', command);
    return lab.run(40 * SECOND).hash;
  };
  expect(hashOf('ping -c1 10.0.0.2')).toBe(hashOf('ping -c1 10.0.0.2'));
  expect(hashOf('ping -c1 10.0.0.2')).not.toBe(hashOf('hostname'));
});

it('nothing is answered when the run does not go on, and the run says why', () => {
  const lab = newLab();
  lab.command({ kind: 'power-on', machine: 'node3' });
  expect(lab.exec('node1', 'hostname')).toBeUndefined();
  expect(lab.run()).toMatchObject({ reason: 'exception', exception: expect.stringContaining('node3') });
});
