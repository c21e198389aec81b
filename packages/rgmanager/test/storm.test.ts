import { Checker, MILLISECOND, Prng, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { type ConfElement, invariants, ServiceState } from '../src/index.js';
import type { Policy } from '../src/manager/policy.js';
import { RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { Running } from './running.js';
import { vectors } from './vectors.js';

const agents = recordedAgents(vectors);
const NODES = [1, 2, 3, 4];
const SERVICES = ['service:ordered', 'service:restricted', 'service:sticky', 'service:free'];

const domain = (name: string, flags: string, nodes: readonly number[]): string =>
  `<failoverdomain name="${name}" ${flags}>${nodes
    .map((node, i) => `<failoverdomainnode name="node${node}" priority="${i + 1}"/>`)
    .join('')}</failoverdomain>`;

const conf = (central: string): ConfElement =>
  parseConf(`
  <cluster>
    <clusternodes>${NODES.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('')}</clusternodes>
    <rm${central}>
      <failoverdomains>
        ${domain('o', 'ordered="1"', [1, 2, 3])}
        ${domain('r', 'ordered="1" restricted="1"', [2, 3])}
        ${domain('n', 'ordered="1" nofailback="1"', [3, 1])}
      </failoverdomains>
      <service name="ordered" domain="o" recovery="restart">
        <fs name="f" mountpoint="/f" device="/dev/f"/><ip address="10.0.0.1"><apache name="a"/></ip><script name="s" file="/s"/>
      </service>
      <service name="restricted" domain="r" recovery="relocate"><script name="r" file="/r"/></service>
      <service name="sticky" domain="n" recovery="restart"><ip address="10.0.0.3"/></service>
      <service name="free" recovery="relocate"><script name="x" file="/x"/><script name="y" file="/y"/></service>
    </rm>
  </cluster>`);

/** What decides in a storm. */
interface Kind {
  readonly policy?: Partial<Policy>;
  readonly isCentral?: boolean;
  /** Users put nodes into standby, and take them out. */
  readonly hasStandby?: boolean;
}

/** A quarter of an hour in which nodes come and go, users give orders and agents fail; then quiet. */
class Storm {
  readonly #prng: Prng;
  readonly cluster: RgCluster;
  readonly running = new Running();
  readonly checker = new Checker(invariants);
  #facts = 0;
  #failing = 0;
  readonly #isCentral: boolean;
  readonly #hasStandby: boolean;

  constructor(seed: number, { policy = {}, isCentral = false, hasStandby = false }: Kind) {
    this.#isCentral = isCentral;
    this.#hasStandby = hasStandby;
    this.#prng = Prng.derive({ hi: 0, lo: seed }, 'storm');
    const lockPauses = Prng.derive({ hi: 0, lo: seed }, 'pauses');
    const isPatient = seed % 3 === 0;
    this.cluster = new RgCluster(conf(isCentral ? ' central_processing="1"' : ''), {
      agents,
      policy,
      ...(isPatient && { lockPauses }),
    });
    this.cluster.fence = (victim) => this.#fence(victim);
    this.cluster.agent = ({ node, resource, action }) => {
      const takes = this.#failing === 0 ? 0 : this.#prng.below(3000) * MILLISECOND;
      const mayFail = action !== 'stop' || (policy.fencesFailedStops === true && this.#isFencedFor(node));
      const isFailure = mayFail && this.#prng.below(100) < this.#failing;
      // A start counts from its beginning, a stop at its end.
      if (action === 'start' && !isFailure) this.running.start(resource, node);
      if (action === 'stop' && !isFailure)
        this.cluster.at(this.cluster.now + takes, () => this.running.stop(resource, node));
      return { takes, status: isFailure ? 1 : 0 };
    };
  }

  /** Nobody fences the last node for a failed stop, and none for one on its way out. */
  #isFencedFor(node: number): boolean {
    const { phase, members } = this.cluster.inspect(node);
    return phase === 'running' && members.length > 1;
  }

  /** Fenced by those who saw that it could not stop a service. */
  #fence(victim: number): void {
    this.cluster.kill(victim);
    this.cluster.lose(victim);
    this.#isFenced(victim);
  }

  /** Nothing runs there any more. */
  #isFenced(node: number): void {
    this.running.down(node);
    this.cluster.fenced(node);
  }

  run(): void {
    for (const id of NODES) if (this.#prng.below(3) > 0) this.cluster.start(id);
    this.#pass(20);
    this.#failing = 10;
    for (let i = 0; i < 15; i++) {
      this.#disturb();
      this.#pass(this.#prng.below(4) === 0 ? 60 : this.#prng.below(15));
    }
    this.#failing = 0;
    for (const id of NODES) if (!this.cluster.has(id)) this.cluster.start(id);
    // A master can recover nothing while services are locked, and no node in standby is cleared. Who has just come does not know how often they were.
    const unlocking = this.#isCentral || this.#hasStandby ? this.cluster.running : [1];
    for (const id of unlocking) this.cluster.request(id, { kind: 'unlock' });
    this.#pass(120);
    // A status check may just be under way.
    for (let left = 5; left > 0 && this.#isBusy(); left--) this.#pass(1);
    this.checker.end(this.cluster.now);
  }

  #isBusy(): boolean {
    return this.cluster.running.some((id) => this.cluster.inspect(id).threads.length > 0);
  }

  #disturb(): void {
    const { cluster } = this;
    const alive = cluster.running;
    const node = NODES[this.#prng.below(NODES.length)]!;
    const asked = alive[this.#prng.below(alive.length)];
    const service = SERVICES[this.#prng.below(SERVICES.length)]!;
    const kind = this.#prng.below(10);
    if (!cluster.has(node)) return cluster.start(node);
    if (asked === undefined) return;
    if (this.#hasStandby && this.#prng.below(3) === 0) {
      return cluster.request(asked, { kind: this.#prng.below(2) === 0 ? 'standby' : 'unstandby', node });
    }
    if (kind < 3) return this.#kill(node);
    if (kind === 3) return cluster.shutdown(node);
    if (kind === 4) return cluster.request(asked, { kind: this.#prng.below(2) === 0 ? 'lock' : 'unlock' });
    const operations = ['enable', 'disable', 'stop', 'restart', 'relocate'] as const;
    const operation = operations[this.#prng.below(operations.length)]!;
    cluster.request(asked, { kind: operation, service, target: operation === 'relocate' ? this.#prng.below(5) : 0 });
  }

  #kill(node: number): void {
    this.cluster.kill(node);
    this.#pass(this.#prng.below(5));
    this.cluster.lose(node);
    this.#pass(this.#prng.below(5));
    this.#isFenced(node);
  }

  #pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.cluster.run(SECOND);
      for (; this.#facts < this.cluster.facts.length; this.#facts++) {
        this.checker.observe(this.cluster.facts[this.#facts]!);
      }
      this.checker.tick(this.cluster.now);
    }
  }
}

/** What everybody knows of a service, if all know the same. */
function agreed({ cluster }: Storm, service: string): string {
  const records = cluster.running.map((id) => JSON.stringify(cluster.record(service, id)));
  return new Set(records).size === 1 ? records[0]! : `different: ${records.join(' ')}`;
}

const SETTLED: readonly number[] = [
  ServiceState.STARTED,
  ServiceState.STOPPED,
  ServiceState.DISABLED,
  ServiceState.FAILED,
];

const CAPACITIES: Partial<Policy> = {
  hasCoordinator: true,
  capacities: new Map(NODES.map((node) => [node, 4])),
  needs: new Map(SERVICES.map((service) => [service, 1])),
};

const seeds = (least: number): readonly number[] =>
  Array.from({ length: Number(process.env.STORMS ?? least) }, (_, i) => i + 1);

describe.each<readonly [string, number, Kind]>([
  ['as in the original', 24, {}],
  ['with a coordinator', 8, { policy: { hasCoordinator: true } }],
  ['with fencing for failed stops', 8, { policy: { fencesFailedStops: true } }],
  ['with parallel siblings', 4, { policy: { isParallel: true } }],
  ['with capacities', 4, { policy: CAPACITIES }],
  ['with central processing', 6, { isCentral: true }],
  ['with standby', 6, { hasStandby: true }],
  ['with standby and a coordinator', 3, { hasStandby: true, policy: { hasCoordinator: true } }],
  ['with standby and central processing', 3, { hasStandby: true, isCentral: true }],
])('storms of failures, users and failing agents, %s', (_, least, kind) => {
  it.each(seeds(least))('seed %i: nothing runs twice, all settles, and all agree', (seed) => {
    const storm = new Storm(seed, kind);
    storm.run();
    expect(storm.running.doubles).toEqual([]);
    expect(storm.checker.violations).toEqual([]);
    for (const service of SERVICES) {
      const record = JSON.parse(agreed(storm, service));
      expect(SETTLED, `${service}: ${JSON.stringify(record)}`).toContain(record.state);
    }
    for (const id of storm.cluster.running) {
      const { threads, keys, waitingLocks, openChannels, runningAgents, rejected } = storm.cluster.inspect(id);
      const left = { threads, waitingLocks, openChannels, runningAgents, rejected };
      expect(left).toEqual({ threads: [], waitingLocks: 0, openChannels: 0, runningAgents: [], rejected: {} });
      expect(keys.filter(({ isPending }) => isPending)).toEqual([]);
    }
    const standby = storm.cluster.running.map((id) => storm.cluster.inspect(id).standby);
    expect(new Set(standby.map(String)).size).toBe(1);
    for (const service of SERVICES) {
      const { state, owner } = JSON.parse(agreed(storm, service));
      if (state === ServiceState.STARTED) expect(standby[0], service).not.toContain(owner);
    }
    const masters = storm.cluster.running.map((id) => storm.cluster.inspect(id).master);
    expect(new Set(masters).size).toBe(1);
  });
});
