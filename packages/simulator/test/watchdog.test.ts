import { parseSeed, SECOND } from '@quorate/kernel';
import { plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const NAMES = ['node1', 'node2', 'node3'];
const CHECK = '/etc/watchdog.d/fence_scsi_check';

/** Three nodes that fence each other through the disk that they share. */
const CLUSTER_CONF = `<?xml version="1.0"?>
<cluster config_version="1" name="storage">
  <cman expected_votes="3"/>
  <fence_daemon clean_start="1"/>
  <clusternodes>
${NAMES.map(
  (name, i) => `    <clusternode name="${name}" nodeid="${i + 1}">
      <fence><method name="scsi"><device devices="/dev/sdb" name="scsi"/></method></fence>
      <unfence><device action="on" devices="/dev/sdb" name="scsi"/></unfence>
    </clusternode>
`,
).join('')}  </clusternodes>
  <fencedevices><fencedevice agent="fence_scsi" name="scsi"/></fencedevices>
</cluster>
`;

it('a node that its storage has fenced is rebooted by its watchdog, unfences itself and rejoins', () => {
  const told: string[] = [];
  const scenario: Scenario<readonly unknown[]> = {
    name: 'watchdog',
    title: 'a node is cut off',
    kinds: ['node.state', 'fenced.fenced'],
    *script(lab) {
      lab.powerOn(...lab.machines);
      yield* lab.wait(60 * SECOND);
      told.length = 0;
      lab.partition(['node3'], ['node1', 'node2']);
      yield* lab.waitFor(({ kind }) => kind === 'fenced.fenced', 60 * SECOND);
      yield* lab.wait(5 * SECOND);
      lab.heal();
      yield* lab.wait(60 * SECOND);
      const nodes = yield* lab.exec('node1', 'cman_tool nodes -F type,name');
      const isRegistered = yield* lab.exec('node1', 'fence_scsi -o status -n node3 -d /dev/sdb');
      const watchdog = yield* lab.exec('node3', 'service watchdog status');
      return [nodes?.output, isRegistered?.status, watchdog?.status];
    },
    onFact(fact) {
      const { state, victim } = fact as { readonly state?: string; readonly victim?: number };
      told.push(fact.kind === 'node.state' ? `node ${fact.node} ${state}` : `node ${victim} is fenced`);
    },
  };
  const topology = {
    ...plainTopology({ machines: 3, clusterConf: CLUSTER_CONF }),
    files: new Map([[CHECK, '# what runs is the program of that name\n']]),
  };
  const run = new Simulator({ scenario, topology, seed: parseSeed('1')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  expect(told.filter((line, i) => line !== told[i - 1])).toEqual([
    'node 3 is fenced',
    'node 3 off',
    'node 3 booting',
    'node 3 up',
  ]);
  expect(run.result).toEqual(['M node1 \nM node2 \nM node3 \n', 0, 0]);
});
