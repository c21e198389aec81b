import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';
import { expect, it, onTestFinished } from 'vitest';
import { powerFencedConf } from '../../../tooling/power-fenced-conf.js';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const CLUSTER_CONF = powerFencedConf(
  'live',
  `  <rm>
    <failoverdomains><failoverdomain name="d" ordered="1">
      <failoverdomainnode name="node1" priority="1"/><failoverdomainnode name="node2" priority="2"/>
    </failoverdomain></failoverdomains>
    <service name="web" domain="d"><ip address="10.0.0.58" sleeptime="0"/></service>
    <service name="other" domain="d" autostart="0"><ip address="10.0.0.59" sleeptime="0"/></service>
  </rm>
`,
);

/** What clustat -x prints while node1 is in standby, and where services are when node2 has died then. */
function* script(lab: Lab): Task<readonly string[]> {
  lab.powerOn(...lab.machines);
  yield* lab.wait(60 * SECOND);
  yield* lab.exec('node3', 'clusvcadm -b node1');
  yield* lab.wait(40 * SECOND);
  const before = yield* lab.exec('node3', 'clustat -x');
  lab.powerOff('node2');
  yield* lab.wait(60 * SECOND);
  const after = yield* lab.exec('node3', 'clustat -x');
  return [before?.output ?? '', after?.output ?? ''];
}

it('what a plan says that begins from a live cluster is what happens there', async () => {
  const scenario: Scenario<readonly string[]> = { name: 'live-state', title: 'a live state', kinds: [], script };
  const topology = plainTopology({ machines: 3, clusterConf: CLUSTER_CONF, programs: administratorsPrograms });
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: [] }).run();
  const [before, after] = run.result as readonly string[];
  const directory = mkdtempSync(join(tmpdir(), 'quorate-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'cluster.conf'), CLUSTER_CONF);
  writeFileSync(join(directory, 'state.xml'), before!);
  const io = capturedIo();
  const words = ['rg', 'simulate', join(directory, 'cluster.conf'), '--state', join(directory, 'state.xml'), 'down=2'];
  expect(await runCommand([...words, '--json'], io)).toBe(0);
  const plan: readonly { services: readonly { name: string; state: number; owner: number }[] }[] = JSON.parse(
    io.stdout.text,
  );
  const owners = plan.map(({ services }) => services.map(({ name, state, owner }) => [name, state, owner]));
  expect(owners).toEqual([
    [
      ['service:web', 112, 2],
      ['service:other', 119, 0],
    ],
    [
      ['service:web', 112, 3],
      ['service:other', 119, 0],
    ],
  ]);
  expect(after).toMatch(/"service:web" state="112" .* owner="node3" last_owner="node2"/);
  expect(after).toMatch(/"service:other" state="119" .* owner="none"/);
});
