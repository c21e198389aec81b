import { describe, expect, it } from 'vitest';
import {
  type DeviceUse,
  type FenceConf,
  type FenceDomain,
  fenceAckManual,
  fenceNodeProgram,
  fencePower,
  fenceTool,
  type PowerRequest,
} from '../src/index.js';
import { type Machine, newMachine, printing, run } from './fake-os.js';

const use = (name: string, values: Record<string, string> = {}): DeviceUse => ({
  name,
  arguments: new Map(Object.entries(values)),
});
const conf: FenceConf = {
  nodes: [
    {
      nodeId: 1,
      name: 'my-vm1',
      fenceMethods: [{ name: 'hv', devices: [use('hv', { port: 'my-vm1' })] }],
      unfenceDevices: [use('hv', { port: 'my-vm1', action: 'on' })],
    },
    { nodeId: 2, name: 'my-vm2', fenceMethods: [], unfenceDevices: [] },
  ],
  devices: [
    {
      name: 'hv',
      agent: 'fence_power',
      arguments: new Map([
        ['agent', 'fence_power'],
        ['ipaddr', 'host1'],
      ]),
    },
  ],
};

/** A power switch with one machine that takes some status queries to change. */
class PowerSwitch {
  state: 'on' | 'off' = 'on';
  readonly asked: PowerRequest[] = [];
  slowness = 0;
  #wanted: 'on' | 'off' = 'on';
  #left = 0;

  readonly call = (daemon: string, request: unknown): unknown => {
    if (daemon !== 'power') return 'ECONNREFUSED';
    const asked = request as PowerRequest;
    this.asked.push(asked);
    if (asked.action === 'list') return { isOk: true, machines: ['my-vm1', 'my-vm2'] };
    if (asked.machine !== 'my-vm1') return { isOk: false };
    if (asked.action === 'status') {
      if (this.#left > 0) this.#left -= 1;
      else this.state = this.#wanted;
      return { isOk: true, state: this.state };
    }
    this.#wanted = asked.action;
    this.#left = this.slowness;
    return { isOk: true };
  };
}

function machineWith(power: PowerSwitch): Machine {
  const machine = newMachine('my-vm1');
  machine.programs.set('fence_power', fencePower);
  machine.call = power.call;
  return machine;
}

describe('fence_power', () => {
  const input = (action: string, port = 'my-vm1'): string =>
    `port=${port}\naction=${action}\nipaddr=host1\nagent=fence_power\n`;

  it.each([
    ['off', 'on', 0, 'Success: Powered OFF\n', 'off'],
    ['off', 'off', 0, 'Success: Already OFF\n', 'off'],
    ['on', 'off', 0, 'Success: Powered ON\n', 'on'],
    ['reboot', 'on', 0, 'Success: Rebooted\n', 'on'],
    ['reboot', 'off', 0, 'Success: Rebooted\n', 'on'],
    ['status', 'on', 0, 'Status: ON\n', 'on'],
    ['status', 'off', 2, 'Status: OFF\n', 'off'],
    ['monitor', 'off', 2, 'Status: OFF\n', 'off'],
    ['list', 'on', 0, 'my-vm1,\nmy-vm2,\n', 'on'],
  ] as const)('%s of a machine that is %s: exit status %i', (action, before, status, output, after) => {
    const power = new PowerSwitch();
    const machine = machineWith(power);
    if (before === 'off') run(machine, 'fence_power', input('off'));
    expect(run(machine, 'fence_power', input(action))).toEqual({ status, output, errors: '' });
    expect(power.state).toBe(after);
  });

  it('off waits until the switch reports off', () => {
    const power = new PowerSwitch();
    const machine = machineWith(power);
    power.slowness = 5;
    expect(run(machine, 'fence_power', input('off')).status).toBe(0);
    expect(machine.now).toBe(5e9);
  });

  it('off that does not come in time fails', () => {
    const power = new PowerSwitch();
    power.slowness = 1000;
    expect(run(machineWith(power), 'fence_power', `power_timeout=3\n${input('off')}`)).toEqual({
      status: 1,
      output: '',
      errors: 'Failed: Timed out waiting to power OFF\n',
    });
  });

  it('reboot succeeds when the machine does not come up again', () => {
    const power = new PowerSwitch();
    const machine = machineWith(power);
    const call = machine.call;
    machine.call = (daemon, request) =>
      (request as PowerRequest).action === 'on' ? { isOk: false } : call(daemon, request);
    expect(run(machine, 'fence_power', input('reboot'))).toEqual({
      status: 0,
      output: 'Success: Rebooted\n',
      errors: 'Timed out waiting to power ON\n',
    });
  });

  it.each([
    [
      'a machine that the host does not have',
      input('off', 'other'),
      'Failed: Unable to obtain correct plug status or plug is not available\n',
    ],
    ['no host', 'port=my-vm1\naction=off\n', 'Failed: You have to enter fence address\n'],
    ['no machine', 'ipaddr=host1\naction=off\n', 'Failed: You have to enter plug number\n'],
    ['an action it does not have', input('explode'), "Failed: Unrecognised action 'explode'\n"],
  ])('%s: exit status 1', (_, text, errors) => {
    expect(run(machineWith(new PowerSwitch()), 'fence_power', text)).toEqual({ status: 1, output: '', errors });
  });

  it.each(['off', 'on', 'status', 'reboot', 'list'])('%s without a switch that answers fails', (action) => {
    const machine = newMachine('my-vm1');
    machine.programs.set('fence_power', fencePower);
    expect(run(machine, 'fence_power', input(action))).toEqual({
      status: 1,
      output: '',
      errors: 'Unable to connect/login to fencing device\n',
    });
  });

  it('waits for `delay` seconds, takes a command line, prints metadata', () => {
    const power = new PowerSwitch();
    const machine = machineWith(power);
    expect(run(machine, 'fence_power -a host1 -n my-vm1 -o off -f 4').status).toBe(0);
    expect(machine.now).toBe(4e9);
    expect(power.asked[0]).toEqual({ action: 'status', host: 'host1', machine: 'my-vm1' });
    expect(run(machine, 'fence_power', 'action=metadata').output).toContain(
      '<parameter name="ipaddr" unique="0" required="1">',
    );
  });
});

describe('fence_node', () => {
  const cman = printing('Node name: my-vm1\n');
  function tool(power: PowerSwitch): Machine {
    const machine = machineWith(power);
    machine.programs.set(
      'fence_node',
      fenceNodeProgram(() => conf),
    );
    machine.programs.set('cman_tool', cman);
    return machine;
  }

  it('fences and tells fenced', () => {
    const power = new PowerSwitch();
    const machine = tool(power);
    const told: unknown[] = [];
    machine.call = (daemon, request) => {
      if (daemon !== 'fenced') return power.call(daemon, request);
      told.push(request);
      return undefined;
    };
    expect(run(machine, 'fence_node my-vm1')).toEqual({ status: 0, output: '', errors: 'fence my-vm1 success\n' });
    expect(told).toEqual([{ kind: 'external', node: 'my-vm1' }]);
    expect(run(machine, 'fence_node -e 0 my-vm1').status).toBe(0);
    expect(told).toHaveLength(1);
    expect(machine.log).toContain('err fence_node: fence my-vm1 success');
  });

  it('shows with -v what the agents did, with -vv what they were told', () => {
    expect(run(tool(new PowerSwitch()), 'fence_node -vv my-vm1').errors).toBe(
      'fence my-vm1 dev 0.0 agent fence_power result: success\n' +
        'agent args: port=my-vm1 nodename=my-vm1 agent=fence_power ipaddr=host1 \n' +
        'fence my-vm1 success\n',
    );
  });

  it.each([
    ['fence_node my-vm2', 2, 'fence my-vm2 undefined\n'],
    ['fence_node -U', 0, 'unfence my-vm1 success\n'],
    ['fence_node -U my-vm2', 2, 'unfence my-vm2 undefined\n'],
    ['fence_node -S my-vm1', 0, 'status my-vm1 success on\n'],
    ['fence_node -S my-vm2', 2, 'status my-vm2 dev 0.0 agent none result: error no method\nstatus my-vm2 undefined\n'],
    [
      'fence_node -S -m 2 my-vm1',
      2,
      'status my-vm1 dev 0.0 agent none result: error method number\nstatus my-vm1 undefined\n',
    ],
    ['fence_node', 1, 'fence_node: no node name specified\n'],
    ['fence_node a b', 1, 'fence_node: unknown option b\n'],
    ['fence_node -Uz', 1, "fence_node: invalid option -- 'z'\nPlease use '-h' for usage.\n"],
    ['fence_node -m', 1, "fence_node: option requires an argument -- 'm'\nPlease use '-h' for usage.\n"],
    ['fence_node -z', 1, "fence_node: invalid option -- 'z'\nPlease use '-h' for usage.\n"],
  ])('%s: exit status %i', (line, status, errors) => {
    expect(run(tool(new PowerSwitch()), line)).toMatchObject({ status, errors });
  });

  it('fails when the agent does, and says so with -S', () => {
    const machine = tool(new PowerSwitch());
    machine.programs.set('fence_power', printing('', 1));
    expect(run(machine, 'fence_node my-vm1')).toMatchObject({ status: 1, errors: 'fence my-vm1 failed\n' });
    expect(run(machine, 'fence_node -U my-vm1')).toMatchObject({ status: 1, errors: 'unfence my-vm1 failed\n' });
    expect(run(machine, 'fence_node -S my-vm1')).toMatchObject({
      status: 1,
      errors: 'status my-vm1 dev 0.0 agent fence_power result: status error\nstatus my-vm1 failed -1\n',
    });
  });

  it('-h and -V end it, whatever follows', () => {
    const machine = tool(new PowerSwitch());
    expect(run(machine, 'fence_node -V -z')).toEqual({ status: 0, output: 'fence_node 3.0.12.1\n', errors: '' });
    const { status, output } = run(machine, 'fence_node -h -z');
    expect(status).toBe(0);
    expect(output).toContain('  -V       Print program version information, then exit\n  -e 0|1   Enable');
  });

  it('of more than 32 devices shows 32', () => {
    const devices = Array.from({ length: 8 }, () => use('hv', { port: 'my-vm2' }));
    const fenceMethods = Array.from({ length: 5 }, (_, i) => ({ name: `m${i}`, devices }));
    const nodes = [{ nodeId: 1, name: 'my-vm1', fenceMethods, unfenceDevices: [] }];
    const machine = tool(new PowerSwitch());
    const program = fenceNodeProgram(() => ({ ...conf, nodes }));
    machine.programs.set('fence_node', program).set('fence_power', printing(''));
    const lines = run(machine, 'fence_node -v -S my-vm1').errors.split('\n');
    expect(lines[0]).toBe('status_node log overflow 40status my-vm1 dev 0.0 agent fence_power result: status on');
    expect(lines.filter((line) => line.includes('agent fence_power'))).toHaveLength(32);
  });

  it('needs cman', () => {
    const machine = tool(new PowerSwitch());
    machine.programs.delete('cman_tool');
    expect(run(machine, 'fence_node my-vm1')).toMatchObject({
      status: 1,
      errors: 'fence_node: cannot connect to cman\n',
    });
  });

  it('says that a status is off', () => {
    const power = new PowerSwitch();
    const machine = tool(power);
    run(machine, 'fence_node my-vm1');
    run(machine, 'fence_power -a host1 -n my-vm1 -o off');
    expect(run(machine, 'fence_node -S my-vm1').errors).toBe('status my-vm1 success off\n');
  });
});

describe('fence_tool', () => {
  const domain: FenceDomain = {
    memberCount: 4,
    victimCount: 0,
    currentVictim: 0,
    master: 2,
    waitState: 'none',
    members: [2, 3, 4, 5],
    nodes: [
      { nodeId: 1, membership: 0, isVictim: false, lastFencedBy: 0, how: 'none' },
      { nodeId: 2, membership: 1, isVictim: false, lastFencedBy: 0, how: 'none' },
    ],
  };
  const listed =
    'fence domain\nmember count  4\nvictim count  0\nvictim now    0\nmaster nodeid 2\nwait state    none\nmembers       2 3 4 5 \n';

  function tool(call: (request: { kind: string }) => unknown): Machine {
    const machine = newMachine('my-vm2');
    machine.programs.set('fence_tool', fenceTool);
    machine.programs.set('cman_tool', printing('Node ID: 2\nQuorum: 5  \n'));
    machine.call = (daemon, request) => (daemon === 'fenced' ? call(request as { kind: string }) : 'ECONNREFUSED');
    return machine;
  }

  it('ls prints the domain, with -n all nodes', () => {
    const machine = tool(() => domain);
    expect(run(machine, 'fence_tool ls')).toEqual({ status: 0, output: `${listed}\n`, errors: '' });
    expect(run(machine, 'fence_tool ls -n').output).toBe(
      `${listed}all nodes\n` +
        'nodeid 1 member 0 victim 0 last fence master 0 how none\n' +
        'nodeid 2 member 1 victim 0 last fence master 0 how none\n\n',
    );
    expect(
      run(
        tool(() => undefined),
        'fence_tool ls',
      ),
    ).toEqual({ status: 1, output: '', errors: '' });
  });

  it('join -w waits until the domain is there', () => {
    let tries = 0;
    const asked: string[] = [];
    const machine = tool(({ kind }) => {
      asked.push(kind);
      if (kind !== 'domain') return undefined;
      tries += 1;
      return tries > 3 ? domain : { ...domain, memberCount: 0 };
    });
    expect(run(machine, 'fence_tool join -w 20')).toEqual({ status: 0, output: '', errors: '' });
    expect(asked).toEqual(['join', 'domain', 'domain', 'domain', 'domain']);
    expect(machine.now).toBe(3e9);
  });

  it('join -w gives up with a word, but without an error', () => {
    const machine = tool(({ kind }) => (kind === 'domain' ? undefined : undefined));
    expect(run(machine, 'fence_tool join -w 12')).toEqual({
      status: 0,
      output: '',
      errors: 'fence_tool: waiting for fenced to join the fence group.\nfence_tool: join not complete\n',
    });
  });

  it('join -q and -m wait for quorum and for all members', () => {
    const machine = tool(() => undefined);
    machine.programs.set('cman_tool', function* (argv, os) {
      if (argv[1] === 'status') os.print(`Node ID: 2\nQuorum: 5 ${os.now() < 4e9 ? 'Activity blocked' : ' '}\n`);
      else os.print(os.now() < 6e9 ? '0 X \n1 M \n2 X \n' : '0 X \n1 M \n2 M \n');
      return 0;
    });
    expect(run(machine, 'fence_tool join -q -1 -m 30')).toEqual({ status: 0, output: '', errors: '' });
    expect(machine.now).toBe(6e9);
    machine.now = 0;
    expect(run(machine, 'fence_tool join -q 2 -m 2').errors).toBe(
      'fence_tool: continuing without quorum\nfence_tool: continuing without all members\n',
    );
  });

  it('leave is refused while file systems need the domain', () => {
    const machine = tool(() => undefined);
    expect(run(machine, 'fence_tool leave -w 5')).toEqual({ status: 0, output: '', errors: '' });
    machine.mounts = [{ device: '/dev/mapper/a', directory: '/mydata', type: 'gfs2', options: '' }];
    expect(run(machine, 'fence_tool leave')).toEqual({
      status: 1,
      output: '',
      errors:
        'found gfs2 file system mounted from /dev/mapper/a on /mydata\nfence_tool: cannot leave due to active systems\n',
    });
  });

  it.each([
    // With an empty line after them, as in the original.
    ['fence_tool', 'fence_tool: no operation specified\n\n'],
    ['fence_tool dance', 'fence_tool: unknown option dance\n\n'],
    ['fence_tool -t', "fence_tool: option requires an argument -- 't'\nPlease use '-h' for usage.\n"],
    ['fence_tool -zh', "fence_tool: invalid option -- 'z'\nPlease use '-h' for usage.\n"],
    ['fence_tool dump', "fence_tool: dump: can't communicate with fenced\n"],
    ['fence_tool -z', "fence_tool: invalid option -- 'z'\nPlease use '-h' for usage.\n"],
    ['fence_tool join', "fence_tool: can't connect to cman\n"],
    ['fence_tool leave', "fence_tool: leave: can't communicate with fenced\n"],
  ])('%s: exit status 1', (line, errors) => {
    const machine = tool(() => 'ECONNREFUSED');
    machine.programs.delete('cman_tool');
    expect(run(machine, line)).toMatchObject({ status: 1, errors });
  });

  it('dump prints what fenced has noted', () => {
    const machine = tool(({ kind }) => (kind === 'dump' ? '1446127500 fenced 3.0.12.1 started\n' : undefined));
    expect(run(machine, 'fence_tool dump')).toEqual({
      status: 0,
      output: '1446127500 fenced 3.0.12.1 started\n',
      errors: '',
    });
  });

  it('a join that waits for a fenced which has gone fails, a leave has come to its end', () => {
    let asked = 0;
    const machine = tool(({ kind }) => {
      if (kind !== 'domain') return undefined;
      asked += 1;
      return asked < 3 ? { ...domain, memberCount: asked % 2 } : 'ECONNREFUSED';
    });
    expect(run(machine, 'fence_tool join -w 20')).toEqual({ status: 0, output: '', errors: '' });
    asked = 1;
    expect(run(machine, 'fence_tool join -w 20')).toMatchObject({
      status: 1,
      errors: 'fence_tool: fenced not running, no lockfile\n',
    });
    expect(run(machine, 'fence_tool leave -w 20')).toEqual({ status: 0, output: '', errors: '' });
  });

  it('join -q and -m fail when cman goes away meanwhile', () => {
    for (const option of ['-q', '-m']) {
      const machine = tool(() => undefined);
      machine.programs.set('cman_tool', function* (argv, os) {
        if (os.now() > 2e9) return 1;
        os.print(argv[1] === 'status' ? 'Node ID: 2\nQuorum: 5 Activity blocked\n' : '1 M\n2 X\n');
        return 0;
      });
      expect(run(machine, `fence_tool join ${option} -1`)).toMatchObject({
        status: 1,
        errors: 'fence_tool: lost cman connection\n',
      });
    }
  });

  it('-h and -V end it, whatever follows', () => {
    const machine = tool(() => undefined);
    expect(run(machine, 'fence_tool -V -z')).toEqual({ status: 0, output: 'fence_tool 3.0.12.1\n', errors: '' });
    const { status, output } = run(machine, 'fence_tool -h -z');
    expect(status).toBe(0);
    expect(output).toMatch(
      /^Usage:\n\nfence_tool <ls\|join\|leave\|dump> \[options\]\n\nActions:\n {2}ls\t\t {3}List nodes status\n/,
    );
    expect(output).toMatch(/\n {2}-V {15}Print program version information, then exit\n {2}-h .*\n\n$/);
  });

  it('join without fenced fails', () => {
    expect(
      run(
        tool(() => 'ECONNREFUSED'),
        'fence_tool join',
      ).errors,
    ).toBe('fence_tool: fenced not running, no lockfile\n');
  });
});

describe('fence_ack_manual', () => {
  const warning =
    'About to override fencing for my-vm3.\nImproper use of this command can cause severe file system damage.\n\n';
  const question = 'Continue [NO/absolutely]? ';

  it('waits until fenced listens', () => {
    const machine = newMachine('my-vm1');
    machine.programs.set('fence_ack_manual', fenceAckManual);
    const asked: unknown[] = [];
    machine.call = (_daemon, request) => {
      asked.push(request);
      return asked.length > 2;
    };
    expect(run(machine, 'fence_ack_manual my-vm3', 'absolutely\n')).toEqual({
      status: 0,
      output: `${warning}Done\n`,
      errors: question,
    });
    expect(asked).toEqual([1, 2, 3].map(() => ({ kind: 'override', node: 'my-vm3' })));
    expect(machine.now).toBe(2e9);
  });

  it.each(['yes\n', '', 'Absolutely\n'])('anything but absolutely ("%s") aborts', (answer) => {
    const machine = newMachine('my-vm1');
    machine.programs.set('fence_ack_manual', fenceAckManual);
    expect(run(machine, 'fence_ack_manual -n my-vm3', answer)).toMatchObject({
      status: 1,
      output: `${warning}Aborted.\n`,
      errors: question,
    });
  });

  it('needs a name', () => {
    const machine = newMachine('my-vm1');
    machine.programs.set('fence_ack_manual', fenceAckManual);
    for (const line of ['fence_ack_manual', 'fence_ack_manual -n', 'fence_ack_manual -O -n my-vm3']) {
      expect(run(machine, line)).toEqual({
        status: 1,
        output:
          'usage:\n \tfence_ack_manual <nodename>\n \tfence_ack_manual -n <nodename>\n\n' +
          'The -n flag exists to preserve compatibility with previous \n' +
          'releases of fence_ack_manual, and is no longer required.\n',
        errors: '',
      });
    }
  });
});
