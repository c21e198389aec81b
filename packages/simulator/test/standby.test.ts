import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { powerFencedConf } from '../../../tooling/power-fenced-conf.js';
import { Simulator } from '../src/index.js';

const CLUSTER_CONF = powerFencedConf(
  'standby',
  `  <rm>
    <failoverdomains><failoverdomain name="d" ordered="1">
      <failoverdomainnode name="node1" priority="1"/><failoverdomainnode name="node2" priority="2"/>
    </failoverdomain></failoverdomains>
    <service name="web" domain="d"><ip address="10.0.0.58" sleeptime="0"/></service>
  </rm>
`,
);

/** Where the service runs and what clustat says of node1, after each line. */
function* script(lab: Lab): Task<readonly (readonly string[])[]> {
  const seen: string[][] = [];
  lab.powerOn(...lab.machines);
  yield* lab.wait(60 * SECOND);
  const type = function* (line: string): Task {
    const done = yield* lab.exec('node3', line);
    yield* lab.wait(60 * SECOND);
    const clustat = yield* lab.exec('node3', 'clustat');
    const of = (row: RegExp): string => row.exec(clustat?.output ?? '')?.[1] ?? 'none';
    seen.push([done?.output ?? 'no answer', of(/^ node1 +1 (.*)$/m), of(/^ service:web +(\S+) +started/m)]);
  };
  yield* type('clusvcadm -b node1');
  lab.powerOff('node1');
  yield* lab.wait(40 * SECOND);
  lab.powerOn('node1');
  yield* lab.wait(20 * SECOND);
  yield* type('hostname');
  yield* type('clusvcadm -B node1');
  return seen;
}

it('a node in standby loses its services, leaves and comes back as it was, and has them again in the end', () => {
  const scenario: Scenario<readonly (readonly string[])[]> = { name: 'standby', title: 'standby', kinds: [], script };
  const topology = plainTopology({ machines: 3, clusterConf: CLUSTER_CONF, programs: administratorsPrograms });
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  expect(run.result).toEqual([
    ['Member node1 going into standby...Success\n', 'Online, rgmanager, Standby', 'node2'],
    ['node3\n', 'Online, rgmanager, Standby', 'node2'],
    ['Member node1 coming back from standby...Success\n', 'Online, rgmanager', 'node1'],
  ]);
});
