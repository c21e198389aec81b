import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const CONF = fileURLToPath(new URL('../../../packages/cluster-conf/test/data/my-cluster.conf', import.meta.url));

it('a plan in words has a part for each event', async () => {
  const io = capturedIo();
  expect(await runCommand(['rg', 'simulate', CONF, 'down=1', 'relocate=my_service_group@4'], io)).toBe(0);
  const titles = io.stdout.text.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
  expect(titles).toEqual(['all nodes up', 'node 1 down', 'relocate service:my_service_group to node 4']);
  expect(io.stdout.text).toMatch(/=> {2}service:my_service_group started on node 4\n$/);
});

it('nodes go into standby and come back', async () => {
  const io = capturedIo();
  expect(await runCommand(['rg', 'simulate', CONF, 'standby=1', 'unstandby=1'], io)).toBe(0);
  const owners = [...io.stdout.text.matchAll(/=> .* on node (\d)/g)].map(([, owner]) => owner);
  expect(owners).toEqual(['1', '2', '1']);
});

const CLUSTAT = fileURLToPath(new URL('data/clustat.xml', import.meta.url));

it('a plan begins from what clustat -x has printed', async () => {
  const io = capturedIo();
  expect(await runCommand(['rg', 'simulate', CONF, '--state', CLUSTAT, 'down=3', 'up=1'], io)).toBe(0);
  const titles = io.stdout.text.split('\n').filter((line) => /^\S| =>/.test(line));
  expect(titles).toEqual([
    'as it is found',
    '      =>  service:my_service_group started on node 3',
    'node 3 down',
    '      =>  service:my_service_group started on node 4',
    'node 1 up',
    '      =>  service:my_service_group started on node 1',
  ]);
});

it('a quorum disk has votes for whoever is left', async () => {
  const io = capturedIo();
  expect(await runCommand(['rg', 'simulate', CONF, 'down=1', 'down=2', 'down=3', 'down=4', '--json'], io)).toBe(0);
  const plan: readonly { isQuorate: boolean; services: readonly { owner: number }[] }[] = JSON.parse(io.stdout.text);
  // One vote each and four of the quorum disk: the last one has five of nine.
  expect(plan.map(({ isQuorate, services }) => [isQuorate, services[0]?.owner])).toEqual(
    [1, 2, 3, 4, 5].map((owner) => [true, owner]),
  );
});

it('a plan as JSON has its steps and where services are', async () => {
  const io = capturedIo();
  expect(await runCommand(['rg', 'simulate', CONF, 'fail=apache:my_apache', '--json'], io)).toBe(0);
  const [, failed] = JSON.parse(io.stdout.text);
  expect(failed).toMatchObject({ isQuorate: true, services: [{ name: 'service:my_service_group', owner: 2 }] });
  expect(failed.steps).toContainEqual(expect.objectContaining({ kind: 'agent', text: 'stop apache:my_apache' }));
});

it.each([
  [['rg', 'simulate', CONF, 'down=9'], /node 9 cannot go down: it does not run/],
  [['rg', 'simulate', CONF, 'boom'], /found event "boom", expected down=NODE-ID/],
  [['rg', 'simulate', CONF, '--state', CONF], /found <cluster>, expected what clustat -x prints/],
  [['rg', 'simulate', CONF, '--state', '/no/such/file'], /cannot read \/no\/such\/file: ENOENT/],
  [['rg', 'simulate', '/no/such/file'], /cannot read \/no\/such\/file: ENOENT/],
])('%j is refused', async (words, complaint) => {
  const io = capturedIo();
  expect(await runCommand(words, io)).toBe(4);
  expect(io.stderr.text).toMatch(complaint);
});
