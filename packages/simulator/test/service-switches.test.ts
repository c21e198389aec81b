import { fork, parseSeed, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const NAMES = ['node1', 'node2', 'node3', 'node4', 'node5'];
const MOVED = ['a', 'b', 'c', 'd'];
/** What asks for a start where nobody has asked for one: everybody's, and the coordinator's. */
const STARTS = ['start', 'coordinated start'];

/** Five machines that fence each other, and services that start where they are wanted first. */
function conf(policy: string): string {
  const nodes = NAMES.map(
    (name, i) => `<clusternode name="${name}" nodeid="${i + 1}">
      <fence><method name="power"><device name="switch" port="${name}"/></method></fence>
    </clusternode>`,
  );
  const domains = NAMES.map(
    (name) =>
      `<failoverdomain name="${name}" ordered="1"><failoverdomainnode name="${name}" priority="1"/></failoverdomain>`,
  );
  const ip = (host: number): string => `<ip address="10.0.0.${host}" sleeptime="0"/>`;
  const service = (name: string, domain: string, ...hosts: readonly number[]): string =>
    `<service name="${name}" domain="${domain}" recovery="relocate">${hosts.map(ip).join('')}</service>`;
  return `<cluster config_version="1" name="switches">
  <cman expected_votes="5"/>
  <fence_daemon clean_start="1"/>
  <clusternodes>${nodes.join('')}</clusternodes>
  <fencedevices><fencedevice agent="fence_power" ipaddr="10.0.0.254" name="switch"/></fencedevices>
  <rm>${policy}
    <failoverdomains>${domains.join('')}</failoverdomains>
    ${MOVED.map((name, i) => service(name, 'node1', 50 + i)).join('')}
    ${service('pair', 'node2', 60, 61)}
    ${service('stuck', 'node2', 62)}
    ${service('broken', 'node3', 63)}
  </rm>
</cluster>
`;
}

const POLICY = `<policy coordinator="1" fence_failed_stop="1" parallel="1" enforce_timeouts="1">
  <node name="node2" capacity="1"/><node name="node3" capacity="2"/><node name="node4" capacity="1"/><node name="node5" capacity="0"/>
  ${MOVED.map((name) => `<service name="${name}" need="1"/>`).join('')}
</policy>`;

interface RgHeard extends Stamped {
  readonly service?: string;
  readonly request?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly victim?: number;
}

interface Seen {
  /** How long the two addresses of a service took to start, in seconds. */
  readonly pairSec: number;
  /** Nodes that took up a start of what ran on a node that died. */
  readonly contenders: readonly number[];
  /** How many of the dead node's services each of the others has, by its name. */
  readonly loads: Readonly<Record<string, number>>;
  /** A service whose agent hangs in its stop, after a minute, and one whose agent fails in it. */
  readonly stuck: string;
  readonly broken: string;
  readonly fenced: readonly number[];
  readonly timedOut: string;
}

function runWith(policy: string): Seen {
  let contenders = new Set<number>();
  const pairAt: number[] = [];
  const fenced: number[] = [];
  function* output(lab: Lab, machine: string, line: string): Task<string> {
    return (yield* lab.exec(machine, line))?.output ?? '';
  }
  const stateIn = (clustat: string, name: string): string =>
    new RegExp(`service:${name} +(.*?) *$`, 'm').exec(clustat)?.[1]?.replace(/ +/g, ' ') ?? 'none';
  const scenario: Scenario<Seen> = {
    name: 'switches',
    title: 'what rgmanager does otherwise when it is told to',
    kinds: ['rg.request-started', 'rg.agent-started', 'rg.agent-ended', 'fenced.fenced'],
    onFact({ kind, at, node, service, request, action, resource, victim }: RgHeard) {
      if (kind === 'fenced.fenced' && fenced.at(-1) !== victim) fenced.push(victim!);
      if (STARTS.includes(request ?? '') && service === 'service:a') contenders.add(node);
      if (service === 'service:pair' && action === 'start' && resource?.startsWith('ip:')) pairAt.push(at);
    },
    *script(lab) {
      lab.powerOn(...NAMES);
      yield* lab.wait(45 * SECOND);
      const pairSec = Math.round((pairAt.at(-1)! - pairAt[0]!) / SECOND);
      contenders = new Set();
      lab.powerOff('node1');
      yield* lab.waitFor(({ kind }) => kind === 'fenced.fenced', 60 * SECOND);
      yield* lab.wait(15 * SECOND);
      const starters = [...contenders].sort();
      const moved = yield* output(lab, 'node5', 'clustat');
      const loads: Record<string, number> = {};
      for (const name of MOVED) {
        const owner = stateIn(moved, name).split(' ')[0]!;
        loads[owner] = (loads[owner] ?? 0) + 1;
      }
      const fault = { program: 'ip.sh', argument: 'stop', runs: 1 };
      lab.fault({ kind: 'program', machine: 'node2', fault: { ...fault, delay: 1000 * SECOND } });
      yield* fork(lab.exec('node4', 'clusvcadm -r stuck'));
      // With a policy that node would be fenced, too, and no majority left.
      if (policy === '') {
        lab.fault({ kind: 'program', machine: 'node3', fault: { ...fault, delay: 0, status: 1 } });
        yield* fork(lab.exec('node4', 'clusvcadm -r broken'));
      }
      yield* lab.wait(25 * SECOND);
      const timedOut =
        /stop on ip:.* timed out.*/.exec(yield* output(lab, 'node2', 'cat /var/log/messages'))?.[0] ?? '';
      yield* lab.wait(40 * SECOND);
      const clustat = yield* output(lab, 'node5', 'clustat');
      return {
        pairSec,
        contenders: starters,
        loads,
        stuck: stateIn(clustat, 'stuck'),
        broken: stateIn(clustat, 'broken'),
        fenced,
        timedOut,
      };
    },
  };
  const topology = plainTopology({ machines: 5, clusterConf: conf(policy), programs: administratorsPrograms });
  const run = new Simulator({ scenario, topology, seed: parseSeed('1')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  return run.result as Seen;
}

it('without a policy: a race, one after the other, and stops that are waited for or leave the service failed', () => {
  expect(runWith('')).toEqual({
    pairSec: 6,
    contenders: [2, 3, 4, 5],
    loads: { node2: 4 },
    stuck: 'node2 stopping',
    timedOut: '',
    broken: '(node3) failed',
    fenced: [1],
  });
});

it('with a policy in cluster.conf: one decides, by capacities, at once, and what does not stop is fenced', () => {
  expect(runWith(POLICY)).toEqual({
    pairSec: 3,
    contenders: [2],
    loads: { node2: 1, node3: 2, node4: 1 },
    stuck: 'node1 started',
    timedOut: 'stop on ip:10.0.0.62 timed out after 20 seconds',
    broken: 'node3 started',
    fenced: [1, 2],
  });
});
