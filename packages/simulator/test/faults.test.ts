import { MILLISECOND, parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Fault, type Lab, plainTopology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { describe, expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const TWO = plainTopology({ machines: 2, programs: administratorsPrograms });

/** Two machines boot, a fault is set, and node1 types a command: its status, output and seconds. */
function afterFault(fault: Fault, command: string): { readonly found: unknown; readonly hash: string } {
  const simulator = new Simulator({
    scenario: {
      name: 'fault',
      title: 'a fault',
      kinds: [],
      *script(lab: Lab): Task<unknown> {
        lab.powerOn(...lab.machines);
        yield* lab.wait(31 * SECOND);
        lab.fault(fault);
        const from = lab.now();
        const done = yield* lab.exec('node1', command);
        const seconds = Number(((lab.now() - from) / SECOND).toFixed(1));
        return [done?.status, done?.output.trim().split('\n').at(-1), seconds];
      },
    },
    topology: TWO,
    seed: parseSeed('1')!,
    invariants: [],
  });
  const { result, hash, exception } = simulator.run();
  expect(exception).toBeUndefined();
  return { found: result, hash };
}

const PING = 'ping -c1 -W1 10.0.0.2';
const KEYS = 'sg_persist -i -k /dev/sdb';
const DATE = 'date';

/** Fault kinds: one that shows in what a command says, what it then says, and one that is no fault. */
const FAULTS: readonly (readonly [string, Fault, string, unknown, Fault])[] = [
  [
    'links',
    { kind: 'links', from: 'node1', parameters: { loss: 1 } },
    PING,
    [1, '1 packets transmitted, 0 received, 100% packet loss, time 1000ms', 1],
    { kind: 'links', from: 'node1', to: 'node2', parameters: { loss: 0, burstStart: 0, corrupt: 0, reorder: 0 } },
  ],
  [
    'clog',
    { kind: 'clog', from: 'node2', to: 'node1', duration: 3 * SECOND },
    'ping -c1 -W5 10.0.0.2',
    [0, expect.stringContaining('rtt'), 3],
    { kind: 'clog', duration: 0 },
  ],
  [
    'clock-drift',
    { kind: 'clock-drift', machine: 'node1', ppm: 400_000 },
    'ping -c1 -W3 10.0.0.99',
    [1, '1 packets transmitted, 0 received, 100% packet loss, time 3000ms', 2.1],
    { kind: 'clock-drift', machine: 'node1', ppm: 0 },
  ],
  [
    'clock-step',
    { kind: 'clock-step', machine: 'node1', offset: -3600 * SECOND },
    DATE,
    [0, 'Wed Dec 31 23:00:31 UTC 2014', 0],
    { kind: 'clock-step', machine: 'node1', offset: 0 },
  ],
  [
    'disks, hung',
    { kind: 'disks', machine: 'node1', impairment: { hungFor: 4 * SECOND } },
    KEYS,
    [0, expect.anything(), 4],
    { kind: 'disks', machine: 'node1', impairment: {} },
  ],
  [
    'disks, slow',
    { kind: 'disks', machine: 'node1', impairment: { slow: 10_000 } },
    KEYS,
    [0, expect.anything(), 1],
    { kind: 'disks', machine: 'node2', impairment: { slow: 1, reserveOut: 0 } },
  ],
  [
    'program, failing',
    { kind: 'program', machine: 'node1', fault: { program: 'date', runs: 1, delay: 2 * SECOND, status: 7 } },
    DATE,
    [7, '', 2],
    { kind: 'program', machine: 'node1', fault: { program: 'date', runs: 0, delay: 0, status: 7 } },
  ],
  [
    'program, slow',
    { kind: 'program', machine: 'node1', fault: { program: 'date', runs: 1, delay: 500 * MILLISECOND } },
    DATE,
    [0, 'Thu Jan  1 00:00:31 UTC 2015', 0.5],
    { kind: 'program', machine: 'node1', fault: { program: 'ping', runs: 5, delay: SECOND } },
  ],
];

describe('each kind of fault', () => {
  it.each(FAULTS)('%s: changes what a command finds', (_, fault, command, expected) => {
    expect(afterFault(fault, command).found).toEqual(expected);
  });

  const none: Fault = { kind: 'clock-drift', machine: 'node2', ppm: 0 };

  it.each(FAULTS)('%s: with nothing wrong the run is the same run', (_, _fault, command, _expected, tame) => {
    expect(afterFault(tame, command).hash).toBe(afterFault(none, command).hash);
  });
});
