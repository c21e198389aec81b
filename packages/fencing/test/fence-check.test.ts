import { describe, expect, it } from 'vitest';
import { type FenceConf, fenceCheckProgram } from '../src/index.js';
import { type Machine, newMachine, run } from './fake-os.js';

const LOG = '/var/log/cluster/fence_check.log';
const HEAD = 'fence_check run at Thu Oct 29 14:05:00 UTC 2015 pid: 7\n';
const devices = [{ name: 'hv', arguments: new Map<string, string>() }];
const conf: FenceConf = {
  nodes: [
    { nodeId: 1, name: 'my-vm1', fenceMethods: [{ name: 'a', devices }], unfenceDevices: [] },
    { nodeId: 2, name: 'my-vm2', fenceMethods: ['a', 'b'].map((name) => ({ name, devices })), unfenceDevices: [] },
    { nodeId: 3, name: 'my-vm3', fenceMethods: [], unfenceDevices: [] },
  ],
  devices: [],
};

interface Scene {
  readonly cman?: boolean;
  readonly quorate?: boolean;
  readonly domain?: string | undefined;
  /** Methods that do not answer: `my-vm2 1`. */
  readonly failing?: readonly string[];
}

const DOMAIN = 'fence domain\nmember count  3\nvictim count  0\nvictim now    0\nmaster nodeid 1\n';

function machine({ cman = true, quorate = true, domain = DOMAIN, failing = [] }: Scene = {}): Machine {
  const made = newMachine('my-vm1');
  made.programs.set(
    'fence_check',
    fenceCheckProgram(() => conf),
  );
  made.programs.set('cman_tool', function* (argv, os) {
    if (!cman) return 1;
    if (argv[1] === 'nodes') os.print('   0 /dev/block/8:33 \n   1 my-vm1 \n   2 my-vm2 \n   3 my-vm3 \n');
    else os.print(`Node ID: 1\nQuorum: 5 ${quorate ? ' ' : 'Activity blocked'}\n`);
    return 0;
  });
  made.programs.set('fence_tool', function* (_argv, os) {
    os.print(domain);
    return domain === '' ? 1 : 0;
  });
  made.programs.set('fence_node', function* (argv, os) {
    const [name, method] = [argv[argv.indexOf('-S') + 1]!, argv.at(-1)!];
    const isFailing = failing.includes(`${name} ${method}`);
    if (isFailing) os.printError(`status ${name} dev 0.0 agent fence_hv result: status error\n`);
    if (isFailing && argv.includes('-vv')) os.printError('agent args: passwd=secret \n');
    os.printError(`status ${name} ${isFailing ? 'failed -1' : 'success on'}\n`);
    return isFailing ? 1 : 0;
  });
  return made;
}

describe('fence_check', () => {
  it('asks every method of every node, and logs what it says', () => {
    const tested = machine();
    const output = `${HEAD}Testing my-vm1 method 1: success\nTesting my-vm2 method 1: success\nTesting my-vm2 method 2: success\n`;
    expect(run(tested, 'fence_check')).toEqual({ status: 0, output, errors: '' });
    expect(tested.files.get(LOG)).toBe(output);
    expect(tested.files.has('/var/run/fence_check.pid')).toBe(false);
    tested.files.delete(LOG);
    expect(run(tested, 'fence_check -d').status).toBe(0);
    expect(tested.files.has(LOG)).toBe(false);
  });

  it.each([
    ['', 'status my-vm2 dev 0.0 agent fence_hv result: status error\n'],
    ['-e', 'status my-vm2 dev 0.0 agent fence_hv result: status error\nagent args: passwd=secret \n'],
  ])('says of a method that does not answer what the agent did (%s)', (option, said) => {
    expect(run(machine({ failing: ['my-vm2 1'] }), ['fence_check', ...(option === '' ? [] : [option])])).toEqual({
      status: 5,
      output: `${HEAD}Testing my-vm1 method 1: success\nTesting my-vm2 method 1: FAILED\n${said}Testing my-vm2 method 2: success\n`,
      errors: '',
    });
  });

  it.each([
    ['cman is not running', { cman: false }, 2],
    ['node is not quorate', { quorate: false }, 3],
    ['node is not part of the fence domain', { domain: '' }, 3],
    ['node is not fence master', { domain: DOMAIN.replace('nodeid 1', 'nodeid 2') }, 3],
    ['real fencing operation in progress', { domain: DOMAIN.replace('count  0', 'count  1') }, 3],
  ])('%s: exit status', (why, scene, status) => {
    expect(run(machine(scene), 'fence_check')).toEqual({
      status,
      output: `${HEAD}Unable to perform fence_check: ${why}\n`,
      errors: '',
    });
    expect(run(machine(scene), 'fence_check -f').status).toBe(status === 2 ? 2 : 0);
  });

  it('lets one go on that runs already', () => {
    const tested = machine();
    tested.processes = [{ pid: 5, parent: 1, argv: ['/usr/sbin/fence_check'], startedAt: 0 }];
    tested.files.set('/var/run/fence_check.pid', '5\n');
    expect(run(tested, 'fence_check')).toEqual({
      status: 4,
      output: `${HEAD}Another process (5) is holding the lock\n`,
      errors: '',
    });
  });

  it('says with -v what it does', () => {
    expect(run(machine(), 'fence_check -v').output.split('\n').slice(1, 9)).toEqual([
      'Checking if cman is running: running',
      'Checking if node is quorate: quorate',
      'Checking if node is in fence domain: yes',
      'Checking if node is fence master: this node is fence master',
      'Checking if real fencing is in progress: no fencing in progress',
      'Get node list: my-vm1 my-vm2 my-vm3',
      'Testing my-vm1 fencing',
      'Checking if cman is running: running',
    ]);
  });

  it.each([
    ['-h', 0, /^Usage:\n\nfence_check \[options\]\n/],
    ['-V', 0, /^fence_check version 3\.0\.12\.1\n$/],
    ['-x', 1, /^$/],
  ])('%s: exit status %i', (option, status, output) => {
    expect(run(machine(), `fence_check ${option}`)).toMatchObject({ status, output: expect.stringMatching(output) });
  });
});
