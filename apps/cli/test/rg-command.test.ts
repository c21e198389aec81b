import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const CONF = fileURLToPath(new URL('../../../packages/cluster-conf/test/data/my-cluster.conf', import.meta.url));

const data = (name: string): string => fileURLToPath(new URL(`data/${name}`, import.meta.url));

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

const CLUSTAT = data('clustat.xml');

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

const CENTRAL = data('central.conf');

it('event scripts are imported, and those that are not are missed', async () => {
  const io = capturedIo();
  const words = ['rg', 'simulate', CENTRAL, 'fail=script:web'];
  expect(await runCommand([...words, '--event-script', `/usr/share/cluster/give-up=${data('give-up.mjs')}`], io)).toBe(
    0,
  );
  expect(io.stdout.text).toMatch(/giving up service:web\n[\s\S]*=> {2}service:web disabled\n$/);
  const without = capturedIo();
  expect(await runCommand(words, without)).toBe(0);
  expect(without.stdout.text).toContain('event give-up: no script is installed as /usr/share/cluster/give-up');
  expect(without.stdout.text).toMatch(/=> {2}service:web started on node \d\n$/);
});

it('without quorum nothing starts', async () => {
  const io = capturedIo();
  expect(await runCommand(['rg', 'simulate', CENTRAL, 'down=1', 'down=2', '--json'], io)).toBe(0);
  const plan: readonly { isQuorate: boolean }[] = JSON.parse(io.stdout.text);
  expect(plan.map(({ isQuorate }) => isQuorate)).toEqual([true, true, false]);
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
  [['rg', 'simulate', CENTRAL, '--event-script', 'give-up'], /found "give-up", expected FILE=MODULE/],
  [['rg', 'simulate', CENTRAL, '--event-script', '/s=/no/such.mjs'], /cannot import \/no\/such.mjs: /],
  [
    ['rg', 'simulate', CENTRAL, '--event-script', `/s=${data('no-script.mjs')}`],
    /exports giveUp, expected a function as its default export/,
  ],
  [
    ['rg', 'simulate', CENTRAL, '--event-script', `/s=${data('give-up.mjs')}`],
    /found a script for \/s, expected \/usr\/share\/cluster\/default_event_script.sl or \/usr\/share\/cluster\/give-up/,
  ],
  [['rg', 'simulate', '/no/such/file'], /cannot read \/no\/such\/file: ENOENT/],
])('%j is refused', async (words, complaint) => {
  const io = capturedIo();
  expect(await runCommand(words, io)).toBe(4);
  expect(io.stderr.text).toMatch(complaint);
});
