import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, stackInvariants, type Topology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { POWER_FENCED_NODES, powerFencedConf } from '../../../tooling/power-fenced-conf.js';
import { Simulator } from '../src/index.js';

type EventScript = NonNullable<Topology['eventScripts']> extends ReadonlyMap<string, infer Script> ? Script : never;

const CLUSTER_CONF = powerFencedConf(
  'central',
  `  <rm central_processing="1">
    <events>
      <event name="say" class="node" node_state="down" file="/scripts/say"/>
    </events>
    <service name="web"><ip address="10.0.0.58" sleeptime="0"/></service>
  </rm>
`,
);

/** Says in the log of the master what it has heard. */
const say: EventScript = function* say(event, cluster) {
  if (event.kind !== 'node') return;
  const { state } = yield* cluster.serviceStatus('service:web');
  cluster.notice('say: ', event.name, ' is gone, the service is ', state);
};

interface Seen {
  readonly before: string;
  readonly moved: string;
  readonly after: string;
  readonly log: string;
}

function* script(lab: Lab): Task<Seen> {
  const exec = function* (machine: string, line: string): Task<string> {
    const done = yield* lab.exec(machine, line);
    return done === undefined ? 'no answer' : done.output + done.errors;
  };
  const masterIn = (clustat: string): string => /^ (\S+) .*RG-Master/m.exec(clustat)?.[1] ?? 'none';
  lab.powerOn(...lab.machines);
  yield* lab.wait(60 * SECOND);
  const before = yield* exec('node3', 'clustat');
  const master = masterIn(before);
  const asked = POWER_FENCED_NODES.find((name) => name !== master)!;
  const moved = yield* exec(asked, `clusvcadm -r web -m ${master}`);
  lab.partition(
    [master],
    POWER_FENCED_NODES.filter((name) => name !== master),
  );
  yield* lab.wait(40 * SECOND);
  const after = yield* exec(asked, 'clustat');
  const log = yield* exec(masterIn(after), 'cat /var/log/messages');
  return { before, moved, after, log };
}

it('one node decides for all; another takes over when it is cut off', () => {
  const scenario: Scenario<Seen> = { name: 'central', title: 'a master decides for all', kinds: [], script };
  const plain = plainTopology({ machines: 3, clusterConf: CLUSTER_CONF, programs: administratorsPrograms });
  const topology = { ...plain, eventScripts: new Map([['/scripts/say', say]]) };
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  const { before, moved, after, log } = run.result as Seen;
  expect([before.match(/RG-Master/g)?.length, before.match(/RG-Worker/g)?.length]).toEqual([1, 2]);
  expect(before).toMatch(/service:web +node\d +started/);
  expect(moved).toMatch(/service:web/);
  expect(after.match(/RG-Master/g)).toHaveLength(1);
  expect(after).toMatch(/service:web +node\d +started/);
  expect(log).toMatch(/say: node\d is gone, the service is started/);
});
