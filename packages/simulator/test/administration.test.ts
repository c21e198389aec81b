import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { hypervBlogTopology, type Lab, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const SERVICE = 'my_service_group';

/** What is typed, where, and what comes of it. */
type Line = readonly [machine: string, command: string, expected: RegExp];

const TYPED: readonly Line[] = [
  [
    'my-vm2',
    `clusvcadm -r ${SERVICE} -m my-vm3`,
    /^Trying to relocate .*\.\.\.Success\n.* is now running on my-vm3\n$/,
  ],
  ['my-vm1', 'clustat -s my_service_group', / my-vm3 +started +\n$/],
  ['my-vm1', `clusvcadm -d ${SERVICE}`, /disabling .*\.\.\.Success\n$/],
  ['my-vm4', 'clustat', /\(my-vm3\) +disabled/],
  ['my-vm5', `clusvcadm -e ${SERVICE} -m my-vm2`, /trying to enable .*\.\.\.Success\n.*is now running on my-vm2\n$/],
  ['my-vm5', `clusvcadm -R ${SERVICE}`, /restart .*\.\.\.Success\n$/],
  ['my-vm5', `clusvcadm -Z ${SERVICE}`, /freezing .*\.\.\.Success\n$/],
  ['my-vm1', 'clustat', / my-vm2 +started +\[Z\]/],
  ['my-vm5', `clusvcadm -U ${SERVICE}`, /unfreezing .*\.\.\.Success\n$/],
  ['my-vm3', `clusvcadm -F -e ${SERVICE}`, /Service is already running\n$/],
  ['my-vm1', 'clusvcadm -e nothing', /Service does not exist/],
  ['my-vm1', 'cman_tool nodes', /^ {3}1 {3}M /m],
  ['my-vm1', 'ps aux', /httpd|rgmanager/],
];

function* type(lab: Lab): Task<readonly (readonly [Line, string])[]> {
  lab.powerOn(...lab.machines);
  yield* lab.wait(70 * SECOND);
  const found: (readonly [Line, string])[] = [];
  for (const line of TYPED) {
    const done = yield* lab.exec(line[0], line[1]);
    found.push([line, done === undefined ? 'no answer' : done.output + done.errors]);
    yield* lab.wait(SECOND);
  }
  return found;
}

it('an administrator moves, disables, enables, restarts and freezes the service', () => {
  const scenario: Scenario<readonly (readonly [Line, string])[]> = {
    name: 'administration',
    title: 'what an administrator types',
    kinds: [],
    script: type,
  };
  const topology = hypervBlogTopology(administratorsPrograms);
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  for (const [[machine, command, expected], output] of run.result as readonly (readonly [Line, string])[]) {
    expect(output, `${machine}# ${command}`).toMatch(expected);
  }
});
