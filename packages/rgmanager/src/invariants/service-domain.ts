import {
  type Check,
  defineInvariant,
  type Invariant,
  type Nanos,
  type NodeStateFact,
  SECOND,
  type Stamped,
  type Verdict,
} from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import { COORDINATED_START } from '../manager/service-threads.js';
import { Result } from '../state/result.js';
import { ServiceFlag, ServiceState } from '../state/service-record.js';
import { type Delay, LockWaits } from './lock-waits.js';
import { PerLife } from './per-life.js';

type Of<K extends RgFact['kind']> = Stamped<Extract<RgFact, { readonly kind: K }>>;

/** Nothing about a service has happened for so long: it is settled. */
const SETTLED_AFTER: Nanos = 10 * SECOND;

type Configured = Of<'rg.configured'>;
type Domain = Configured['domains'][number];

/** What one node knows. */
interface View {
  configuration: Configured | undefined;
  members: readonly number[];
  isQuorate: boolean;
  changedAt: Nanos;
}

/** Why a service may stay where its domain does not want it, as in the original. */
type Departure =
  | 'svc-user'
  | 'svc-recovery'
  | 'svc-failure'
  | 'svc-locked'
  | 'svc-frozen'
  | 'svc-exclusive'
  | 'svc-moving'
  | 'svc-script'
  | 'svc-master'
  | 'svc-second-best'
  | Delay
  | 'svc-outside-restricted';

/** What is wrong with a place; with a departure it is allowed. */
interface Problem {
  readonly message: string;
  readonly departure: Departure | undefined;
  /** It has not settled: what it waits for comes by itself. */
  readonly isDelay?: boolean;
}

/** What is known of a service. */
interface Placement {
  record: Of<'rg.service'> | undefined;
  /** Life of its owner when the record was written: in another life it does not run there. */
  ownerLife: number | undefined;
  changedAt: Nanos;
  /** What each node does about it now, and since when. */
  readonly requests: Map<number, { readonly request: string; readonly since: Nanos }>;
  /** Better nodes that need not have it. */
  readonly excused: Map<number, { readonly departure: Departure; readonly since: Nanos }>;
  /** A coordinator is having it started, and no start has begun yet. */
  isFirstTry: boolean;
  /** It was started without a look at its domain. */
  isUnchecked: boolean;
  /** Its domain was changed under it. */
  isUnbound: boolean;
  isReported: boolean;
  /** It has settled like that. */
  open: { readonly departure: Departure; readonly since: Nanos } | undefined;
}

/** A check of a service is no change of it. */
const CHECK = 'status';
/** Requests by which a user decides where a service runs. */
const USERS: readonly string[] = ['enable', 'relocate', 'restart', 'migrate'];
/** Requests that leave a service where it is, or put it where the domain wants it. */
const BY_DOMAIN: readonly string[] = ['start', COORDINATED_START, 'status'];
/** Requests that start a service where they are served, whatever its domain says. */
const UNCHECKED: readonly string[] = ['relocate', 'restart', CHECK];
/** What a master asks nodes for, and nodes each other. */
const REMOTE_START = 'remote start';
const IN_TRANSITION: readonly number[] = [ServiceState.STOPPING, ServiceState.ERROR, ServiceState.RECOVER];

/**
 * S29. When nothing has happened to a service for ten seconds, and it is started:
 * - its owner is in its domain, if that is restricted, unless it was restarted there, or relocated and no other node
 *   would have it: `svc-outside-restricted`;
 * - no member of an ordered domain with failback is better than its owner, and no owner is outside of its domain while
 *   a member is online, unless a user has put the service elsewhere (`svc-user`), recovery moved it (`svc-recovery`), a
 *   start or relocation failed (`svc-failure`), or that member joined, or was to be looked at, while services were locked (`svc-locked`), this
 *   one was frozen (`svc-frozen`) or between two states (`svc-moving`: its owner had begun to start it when it had no better one),
 *   or an even better one was there that was excused
 *   (`svc-second-best`: services are handed to the best only). Nor has it settled while its owner waits for a lock that
 *   only dead nodes keep from it (`svc-fencing`), or it, or the node that has the lock, waits for members to
 *   vote or to tell a value (`svc-unanswered`; a ring that has lost a member brings nothing until it is formed anew). Where a
 *   master decides for all, it has not while any node waits so, or the master is at another event or on its way out
 *   (`svc-master`); and scripts that are not the default one put services where they like (`svc-script`).
 * And at any time: no service of a nofailback domain leaves a node of its domain because a better one joined.
 * What keeps a service where it has settled is counted with how long it stayed.
 *
 * Services that are exclusive or depend on others have their places for other reasons too, and are not judged; others go to no node that has
 * an exclusive service, or had one when they were looked at for its sake (`svc-exclusive`).
 */
class ServiceDomain implements Check<RgFact | NodeStateFact> {
  readonly #views = new PerLife<View>(() => ({
    configuration: undefined,
    members: [],
    isQuorate: false,
    changedAt: 0,
  }));
  readonly #services = new Map<string, Placement>();
  readonly #lockWaits = new LockWaits();
  #isLocked = false;
  /** One node decides for all; 0: each decides for itself. */
  #master = 0;
  #isMasterLeaving = false;
  /** What the masters run now, by node. */
  readonly #scripts = new Map<number, Of<'rg.script'>>();
  readonly #startedByScript = new Set<string>();

  observe(fact: Stamped<RgFact | NodeStateFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'rg.lock':
      case 'rg.view':
        return this.#lockWaits.observe(fact);
      case 'rg.master':
        this.#master = fact.node;
        this.#isMasterLeaving = false;
        return this.#scripts.clear();
      case 'rg.stopping':
        this.#isMasterLeaving ||= fact.node === this.#master;
        return;
      case 'rg.script':
        return this.#onScript(fact);
      case 'node.state':
        if (fact.state === 'off') this.#onOwnerGone(fact.node);
        return this.#lockWaits.observe(fact);
      case 'rg.exited':
        return this.#onOwnerGone(fact.node);
      case 'rg.configured':
        return this.#onConfigured(fact);
      case 'rg.members':
        return this.#onMembers(fact);
      case 'rg.lockdown':
        this.#isLocked = fact.isLocked;
        return;
      case 'rg.evaluated':
        return this.#onEvaluated(fact);
      case 'rg.unevaluated':
        return this.#onUnevaluated(fact);
      case 'rg.service':
        return this.#onRecord(fact, verdict);
      case 'rg.request-started':
        return this.#onRequestStarted(fact, verdict);
      case 'rg.request-ended':
        return this.#onRequestEnded(fact);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [service, placement] of this.#services) this.#judge(service, placement, at, verdict);
  }

  end(at: Nanos, verdict: Verdict): void {
    this.tick(at, verdict);
    for (const placement of this.#services.values()) close(placement, at, verdict);
  }

  #placementOf(service: string): Placement {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const fresh: Placement = {
      record: undefined,
      ownerLife: undefined,
      changedAt: 0,
      requests: new Map(),
      excused: new Map(),
      isFirstTry: false,
      isUnchecked: false,
      isUnbound: false,
      isReported: false,
      open: undefined,
    };
    this.#services.set(service, fresh);
    return fresh;
  }

  #onScript(fact: Of<'rg.script'>): void {
    if (fact.event === 'started') this.#scripts.set(fact.node, fact);
    else this.#scripts.delete(fact.node);
    this.#startedByScript.clear();
  }

  /** What it owned runs nowhere until somebody takes it over, and nobody does while nobody is there. */
  #onOwnerGone(node: number): void {
    this.#scripts.delete(node);
    for (const placement of this.#services.values()) {
      if (placement.record?.owner === node) placement.ownerLife = undefined;
    }
  }

  #onConfigured(fact: Configured): void {
    const view = this.#views.of(fact);
    for (const [service, placement] of this.#services) {
      const before = JSON.stringify(domainOf(view.configuration, service));
      if (view.configuration !== undefined && before !== JSON.stringify(domainOf(fact, service))) {
        placement.isUnbound = true;
      }
    }
    view.configuration = fact;
    view.changedAt = fact.at;
  }

  #onMembers(fact: Of<'rg.members'>): void {
    const view = this.#views.of(fact);
    const members = fact.members.filter((node) => fact.standby?.includes(node) !== true);
    const gained = members.filter((node) => !view.members.includes(node));
    view.members = members;
    view.isQuorate = fact.isQuorate;
    view.changedAt = fact.at;
    for (const [service, placement] of this.#services) {
      const { record, excused } = placement;
      const departure = this.#excuse(placement, record?.state);
      for (const node of gained) {
        if (departure !== undefined) excused.set(node, { departure, since: fact.at });
        else if (record?.owner !== fact.node) continue;
        else if (isHandedOver(view, service, record.owner, node)) excused.delete(node);
        else excused.set(node, { departure: 'svc-second-best', since: fact.at });
      }
    }
  }

  /** Why nobody hands this service to a node that joins now. */
  #excuse(placement: Placement, state = 0): Departure | undefined {
    const flags = placement.record?.flags ?? 0;
    if (this.#isLocked) return 'svc-locked';
    if ((flags & ServiceFlag.FROZEN) !== 0) return 'svc-frozen';
    return IN_TRANSITION.includes(state) || isBeingMoved(placement) ? 'svc-moving' : undefined;
  }

  /** A node joined before, but is looked at only now. */
  #onEvaluated({ service, newcomer, state, decision, node, at: since }: Of<'rg.evaluated'>): void {
    const placement = this.#placementOf(service);
    const { excused, requests } = placement;
    if (decision === 'exclusive-service-here') excused.set(node, { departure: 'svc-exclusive', since });
    if (newcomer === 0 || state === ServiceState.STARTED) return;
    // Who starts it has looked at the domain when he began to.
    const isBeingStarted = newcomer !== node && requests.get(node)?.request === 'start';
    const departure = isBeingStarted ? 'svc-moving' : this.#excuse(placement, state);
    if (departure !== undefined) excused.set(newcomer, { departure, since });
  }

  /** A node joined before, and is not looked at. */
  #onUnevaluated({ newcomer, at: since }: Of<'rg.unevaluated'>): void {
    for (const { excused } of this.#services.values()) excused.set(newcomer, { departure: 'svc-locked', since });
  }

  #onRecord(fact: Of<'rg.service'>, verdict: Verdict): void {
    const placement = this.#placementOf(fact.service);
    close(placement, fact.at, verdict);
    if (fact.state === ServiceState.STARTING) {
      placement.isUnbound = false;
      const { requests, excused } = placement;
      const { request, since } = requests.get(fact.node) ?? { request: '', since: fact.at };
      placement.isUnchecked = UNCHECKED.includes(request);
      if (placement.isFirstTry && isUnderWay(placement, COORDINATED_START)) excused.clear();
      if (request === 'start') for (const [node, excuse] of excused) if (excuse.since <= since) excused.delete(node);
      placement.isFirstTry = false;
    }
    placement.record = fact;
    placement.ownerLife = this.#views.lifeOf(fact.owner);
    placement.changedAt = fact.at;
    placement.isReported = false;
  }

  #onRequestStarted(fact: Of<'rg.request-started'>, verdict: Verdict): void {
    const placement = this.#placementOf(fact.service);
    if (fact.request !== CHECK) placement.changedAt = fact.at;
    const isUsers = fact.isAnswered && USERS.includes(fact.request);
    placement.requests.set(fact.node, { request: fact.request, since: fact.at });
    if (isUsers) this.#excuseAll(placement, 'svc-user', fact.at);
    if (fact.request === COORDINATED_START) placement.isFirstTry = true;
    if (fact.request === 'start (recovery)') this.#excuseAll(placement, 'svc-recovery', fact.at);
    if (fact.request === REMOTE_START) this.#onMasterStarts(fact.service, placement, fact.at);
    const isFailback = !fact.isAnswered && (fact.request === 'relocate' || fact.request === 'migrate');
    const domain = domainOf(this.#views.of(fact).configuration, fact.service);
    if (!isFailback || domain?.isNofailback !== true || !domain.nodes.some(({ node }) => node === fact.node)) return;
    const { service, node, target } = fact;
    verdict.violate(`${service} leaves node ${node} for ${target}, but its domain has no failback`, [node, target]);
  }

  #onRequestEnded(fact: Of<'rg.request-ended'>): void {
    const placement = this.#placementOf(fact.service);
    if (fact.request !== CHECK) placement.changedAt = fact.at;
    placement.requests.delete(fact.node);
    // At the word of a master that has left meanwhile it is being started elsewhere.
    if (fact.request === REMOTE_START && fact.code === Result.RUN) this.#excuseAll(placement, 'svc-moving', fact.at);
    if (fact.code === Result.SUCCESS || fact.code === Result.RUN) return;
    placement.isFirstTry = false;
    this.#excuseAll(placement, 'svc-failure', fact.at);
  }

  /** It looks for the node that the domain wants, from the first on, or has a reason not to. */
  #onMasterStarts(service: string, placement: Placement, at: Nanos): void {
    const choice = this.#choiceOfMaster(service);
    const isByDomain = [...this.#scripts.values()].some(({ isDefault, cause }) => isDefault && cause === 'node');
    if (choice !== undefined) this.#excuseAll(placement, choice, at);
    else if (isByDomain && !this.#startedByScript.has(service)) placement.excused.clear();
    this.#startedByScript.add(service);
  }

  /** Why a master starts a service elsewhere, if it does not go by the domain. */
  #choiceOfMaster(service: string): Departure | undefined {
    for (const script of this.#scripts.values()) {
      if (!script.isDefault) return 'svc-script';
      if (script.service === service && script.cause !== 'node') {
        return script.cause === 'user' ? 'svc-user' : 'svc-recovery';
      }
    }
    return undefined;
  }

  /** All that anybody knows as members now. */
  #excuseAll({ excused }: Placement, departure: Departure, since: Nanos): void {
    for (const { members } of this.#views.all) for (const node of members) excused.set(node, { departure, since });
  }

  #judge(service: string, placement: Placement, at: Nanos, verdict: Verdict): void {
    const { record, ownerLife, changedAt, isUnbound, isReported } = placement;
    if (record?.state !== ServiceState.STARTED || isUnbound || isReported) return;
    const { owner } = record;
    const view = this.#views.latest(owner);
    if (view === undefined || !view.isQuorate || ownerLife !== this.#views.lifeOf(owner)) return;
    if (at - Math.max(changedAt, view.changedAt) < SETTLED_AFTER) return;
    const problem = this.#problem(view, service, owner, placement);
    if (problem?.isDelay === true) placement.changedAt = at;
    if (problem?.departure !== placement.open?.departure) close(placement, at, verdict);
    if (problem === undefined) return;
    if (problem.departure !== undefined) {
      placement.open ??= { departure: problem.departure, since: at };
      return;
    }
    placement.isReported = true;
    verdict.violate(`${service} has settled on node ${owner}, ${problem.message}`, [owner]);
  }

  #problem(view: View, service: string, owner: number, placement: Placement): Problem | undefined {
    const problem = placeProblem(view, service, {
      owner,
      placement,
      isCentral: this.#isCentral,
      taken: this.#taken(view),
    });
    if (problem === undefined || problem.departure !== undefined) return problem;
    const departure = this.#delayOf(this.#isCentral ? view.members : [owner]);
    return departure === undefined ? problem : { ...problem, departure, isDelay: true };
  }

  /** Nodes with a service that wants its node for itself. */
  #taken({ configuration }: View): ReadonlySet<number> {
    const exclusive = configuration?.services.filter(({ isExclusive }) => isExclusive) ?? [];
    return new Set(exclusive.map(({ service }) => this.#services.get(service)?.record?.owner ?? 0));
  }

  get #isCentral(): boolean {
    return this.#master !== 0;
  }

  #delayOf(nodes: readonly number[]): Departure | undefined {
    if (this.#scripts.size > 0 || this.#isMasterLeaving) return 'svc-master';
    // It may have joined before, and be looked at only now. Afterwards the master looks at all.
    if (this.#isCentral && this.#isLocked) return 'svc-locked';
    return nodes.map((node) => this.#lockWaits.delayOf(node)).find((delay) => delay !== undefined);
  }
}

/** What kept the service where it was is over. */
function close(placement: Placement, at: Nanos, verdict: Verdict): void {
  if (placement.open !== undefined) verdict.count(placement.open.departure, at - placement.open.since);
  placement.open = undefined;
}

function isBeingMoved({ requests }: Placement): boolean {
  return [...requests.values()].some(({ request }) => !BY_DOMAIN.includes(request));
}

function isUnderWay({ requests }: Placement, wanted: string): boolean {
  return [...requests.values()].some(({ request }) => request === wanted);
}

function domainOf(configuration: Configured | undefined, service: string): Domain | undefined {
  const name = configuration?.services.find((each) => each.service === service)?.domain.toLowerCase();
  return configuration?.domains.find((domain) => domain.name.toLowerCase() === name);
}

/** Whether the owner hands its service to a node that has joined: to the best of all, or from outside to any member. */
function isHandedOver({ configuration, members }: View, service: string, owner: number, newcomer: number): boolean {
  const nodes = domainOf(configuration, service)?.nodes ?? [];
  if (!nodes.some(({ node }) => node === owner)) return true;
  const online = nodes.filter(({ node }) => members.includes(node));
  const priority = online.find(({ node }) => node === newcomer)?.priority ?? Infinity;
  return online.every((each) => priority <= each.priority);
}

interface Situation {
  readonly owner: number;
  readonly placement: Placement;
  readonly isCentral: boolean;
  /** Nodes that have an exclusive service. */
  readonly taken: ReadonlySet<number>;
}

function placeProblem(
  view: View,
  service: string,
  { owner, placement: { excused, isUnchecked }, isCentral, taken }: Situation,
): Problem | undefined {
  const domain = domainOf(view.configuration, service);
  if (domain === undefined || hasOtherReasons(view.configuration!, service)) return undefined;
  const place = domain.nodes.find(({ node }) => node === owner);
  // Whoever runs it outside the domain hands it to any member, nofailback or not; a master leaves it there.
  const isStaying = (place !== undefined || isCentral) && (!domain.isOrdered || domain.isNofailback);
  const online = domain.nodes.filter(({ node }) => view.members.includes(node));
  const better = isStaying ? [] : online.filter(({ priority }) => place === undefined || priority < place.priority);
  const excuseOf = (node: number): Departure | undefined =>
    excused.get(node)?.departure ?? (taken.has(node) ? 'svc-exclusive' : undefined);
  const wanted = better.find(({ node }) => excuseOf(node) === undefined) ?? better[0];
  if (wanted !== undefined) {
    const message = `but node ${wanted.node} is online and better in its domain`;
    return { message, departure: excuseOf(wanted.node) };
  }
  if (place !== undefined || !domain.isRestricted) return undefined;
  const departure = isUnchecked ? 'svc-outside-restricted' : undefined;
  return { message: 'which is not in its restricted domain', departure };
}

function hasOtherReasons({ services }: Configured, service: string): boolean {
  const own = services.find((each) => each.service === service);
  return own === undefined || own.dependsOn !== '' || own.isExclusive;
}

export const serviceDomain: Invariant = defineInvariant<RgFact | NodeStateFact>({
  id: 'S29',
  name: 'svc-domain',
  statement: 'A settled service is where its failover domain wants it: ordered, restricted and nofailback hold.',
  kinds: [
    'rg.configured',
    'rg.members',
    'rg.lockdown',
    'rg.master',
    'rg.script',
    'rg.stopping',
    'rg.evaluated',
    'rg.unevaluated',
    'rg.service',
    'rg.request-started',
    'rg.request-ended',
    'rg.lock',
    'rg.view',
    'rg.exited',
    'node.state',
  ],
  start: () => new ServiceDomain(),
});
