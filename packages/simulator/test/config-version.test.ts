import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

/** The plain cluster of three, as a new version of its file with other votes has it. */
function conf(version: number, votes: number): string {
  const nodes = [1, 2, 3].map((id) => `<clusternode name="node${id}" nodeid="${id}" votes="${votes}"/>`).join('');
  return `<cluster config_version="${version}" name="plain"><cman/><clusternodes>${nodes}</clusternodes></cluster>`;
}

const VERSION = /^6\.2\.0 config (\d+)/;
const TOTAL = /^Total votes: (\d+)/m;
const ACTIVITY = /^Quorum: .*/m;

it('a newer cluster.conf is read by everybody, and who has only the older one has no quorum until it comes', () => {
  const scenario: Scenario<readonly string[]> = {
    name: 'config-version',
    title: 'cman_tool version -r',
    kinds: [],
    *script(lab) {
      const told: string[] = [];
      function* ask(line: string, what: RegExp): Task {
        for (const machine of lab.machines) {
          const result = yield* lab.exec(machine, line);
          const found = what.exec(result?.output ?? '');
          told.push(`${machine}: ${found?.[1] ?? found?.[0] ?? result?.errors.trim()}`);
        }
      }
      lab.powerOn(...lab.machines);
      yield* lab.wait(60 * SECOND);
      yield* distribute(lab, ['node1', 'node2'], conf(2, 3));
      told.push((yield* lab.exec('node1', 'cman_tool version -r -S'))?.errors ?? '');
      yield* lab.wait(3 * SECOND);
      yield* ask('cman_tool version', VERSION);
      yield* ask('cman_tool status', ACTIVITY);
      yield* distribute(lab, ['node3'], conf(2, 3));
      yield* lab.wait(3 * SECOND);
      yield* ask('cman_tool version', VERSION);
      yield* ask('cman_tool status', TOTAL);
      return told;
    },
  };
  const topology = plainTopology({ machines: 3, programs: administratorsPrograms });
  const run = new Simulator({ scenario, topology, seed: parseSeed('1')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  expect(run.result).toEqual([
    '',
    ...['node1: 2', 'node2: 2', 'node3: 1'],
    ...['node1: Quorum: 5  ', 'node2: Quorum: 5  ', 'node3: Quorum: 2 Activity blocked'],
    ...['node1: 2', 'node2: 2', 'node3: 2'],
    ...['node1: 9', 'node2: 9', 'node3: 9'],
  ]);
});

function* distribute(lab: Lab, machines: readonly string[], text: string): Task {
  for (const machine of machines) yield* lab.exec(machine, `echo '${text}' > /etc/cluster/cluster.conf`);
}
