import type { Nanos, PowerState, Stamped } from '@quorate/kernel';
import { DiskState } from '@quorate/qdisk';
import type { AnyFact } from '../lab.js';

/** Kinds of facts that the overview follows. */
export const OVERVIEW_KINDS: readonly string[] = [
  'node.state',
  'totem.configuration',
  'cpg.members',
  'qdisk.state',
  'quorum.changed',
  'quorum.killed',
  'quorum.left',
  'quorum.failed',
  'node.corosync-killed',
  'fenced.state',
  'fenced.victim',
  'fenced.fenced',
  'fenced.start-refused',
  'dlm.waiting',
  'dlm.started',
  'dlm.released',
  'scsi.reservation-changed',
  'gfs2.mounted',
  'gfs2.unmounted',
  'gfs2.withdrawn',
  'rg.members',
  'rg.service',
  'client.request',
];

/** How the groups of those begin who have a file system mounted, or wait to mount it. */
const MOUNT_GROUP = 'gfs:mount:';
/** The group of all fenceds that run. */
const FENCED_GROUP = 'fenced:daemon';

/** What is known of one machine, from its facts and from those that name it. */
export interface MachineView {
  state: PowerState;
  upSince: Nanos;
  /** Members of the ring that it last installed; empty without one. */
  ring: readonly number[];
  /** Who runs rgmanager, as its own one sees it. */
  rgMembers: string;
  /** Its corosync was killed; who has quorum fences it. */
  hasLostCorosync: boolean;
  /** Its qdiskd has started. */
  hasQdiskd: boolean;
  isQuorate: boolean;
  isMounted: boolean;
  unmountedAt: Nanos;
  /** Its gfs_controld is in the file system's mount group. */
  isInMountGroup: boolean;
  /** Its fenced runs, and since when that is so. */
  hasFenced: boolean;
  fencedSince: Nanos;
  /** It has unfenced itself since it was off. */
  isRegistered: boolean;
  /** Whom its fenced takes for a victim. */
  readonly victims: Set<number>;
  /** Since when its fence domain has no change under way; Infinity while it has. */
  restsSince: Nanos;
  /** Since when its fence domain waits for START messages; Infinity while it does not. */
  awaitsSince: Nanos;
  /** Members of its fence domain whose START its fenced refuses, and since when: it waits until they are gone. */
  readonly refused: Map<number, Nanos>;
  /** Lockspaces whose recovery waits for nodes to be fenced, and since when. */
  readonly awaitsFencing: Map<string, Nanos>;
  /** Why only a reboot helps; undefined while it is well. */
  illness: string | undefined;
}

/** The cluster as an administrator with a good memory sees it. */
export class Overview {
  readonly #views: ReadonlyMap<number, MachineView>;
  /** State of the service, as its owner last wrote it. */
  serviceState = 0;
  serviceSince: Nanos = 0;
  /** When a quorate node last saw one come or go that runs rgmanager: it looks at all services then. */
  evaluatedAt: Nanos = 0;
  owner = 0;
  isAnswered = false;
  #answered = 0;
  #failed = 0;

  constructor(nodes: readonly number[]) {
    const view = (): MachineView => ({
      state: 'off',
      upSince: 0,
      ring: [],
      rgMembers: '',
      hasLostCorosync: false,
      hasQdiskd: false,
      isQuorate: false,
      isMounted: false,
      unmountedAt: 0,
      isInMountGroup: false,
      hasFenced: false,
      fencedSince: 0,
      isRegistered: false,
      victims: new Set(),
      restsSince: Infinity,
      awaitsSince: Infinity,
      refused: new Map(),
      awaitsFencing: new Map(),
      illness: undefined,
    });
    this.#views = new Map(nodes.map((node) => [node, view()]));
  }

  of(node: number): MachineView {
    return this.#views.get(node)!;
  }

  get requests(): { readonly ok: number; readonly failed: number } {
    return { ok: this.#answered, failed: this.#failed };
  }

  /** A machine has no power any more: nobody waits any longer for it to go. */
  forget(node: number): void {
    for (const view of this.#views.values()) view.refused.delete(node);
  }

  /** Something was done about those whose fence domains wait for messages: they have time again. */
  waitAnew(at: Nanos): void {
    for (const view of this.#views.values()) if (view.awaitsSince < at) view.awaitsSince = at;
  }

  hear(stamped: Stamped): void {
    const fact = stamped as AnyFact;
    if (fact.kind === 'client.request') return this.#onRequest(fact.isAnswered === true);
    if (fact.kind === 'rg.service') {
      if (fact.state !== this.serviceState) this.serviceSince = fact.at;
      this.serviceState = Number(fact.state);
      this.owner = Number(fact.owner);
      return;
    }
    if (fact.kind === 'scsi.reservation-changed') return this.#onReservation(fact);
    const view = this.#views.get(fact.node);
    if (view !== undefined) this.#onMachine(view, fact);
  }

  #onMachine(view: MachineView, fact: AnyFact): void {
    switch (fact.kind) {
      case 'node.state':
        this.#onPower(view, fact);
        break;
      case 'totem.configuration':
        if (fact.type === 'regular') view.ring = fact.members as readonly number[];
        break;
      case 'qdisk.state':
        // In its first states it may still give up, when the disk does not answer.
        view.hasQdiskd ||= fact.state === DiskState.RUN || fact.state === DiskState.MASTER;
        break;
      case 'quorum.changed':
        view.isQuorate = fact.isQuorate === true;
        break;
      case 'node.corosync-killed':
        view.hasLostCorosync = true;
        break;
      case 'quorum.killed':
      case 'quorum.left':
      case 'quorum.failed':
        view.illness ??= `is out of the cluster (${fact.kind})`;
        view.ring = [];
        view.isQuorate = false;
        view.victims.clear();
        view.refused.clear();
        view.awaitsFencing.clear();
        break;
      case 'rg.members':
        this.#onRgMembers(view, fact);
        break;
      case 'fenced.state':
        this.#onFenceDomain(view, fact);
        break;
      case 'fenced.start-refused':
        if (!view.refused.has(Number(fact.peer))) view.refused.set(Number(fact.peer), fact.at);
        break;
      case 'fenced.victim':
        view.victims.add(Number(fact.victim));
        break;
      case 'fenced.fenced':
        this.#onFenced(view, fact);
        break;
      case 'dlm.waiting':
        if (fact.for !== 'fencing') view.awaitsFencing.delete(String(fact.lockspace));
        else if (!view.awaitsFencing.has(String(fact.lockspace)))
          view.awaitsFencing.set(String(fact.lockspace), fact.at);
        break;
      case 'dlm.started':
      case 'dlm.released':
        view.awaitsFencing.delete(String(fact.lockspace));
        break;
      case 'cpg.members':
        this.#onGroup(view, fact);
        break;
      case 'gfs2.mounted':
        view.isMounted = true;
        break;
      case 'gfs2.unmounted':
        view.isMounted = false;
        view.unmountedAt = fact.at;
        break;
      case 'gfs2.withdrawn':
        view.isMounted = false;
        view.illness ??= 'has withdrawn from its file system';
        break;
    }
  }

  #onGroup(view: MachineView, { group, members, node, at }: AnyFact): void {
    const isIn = (members as readonly string[]).some((each) => each.startsWith(`${node}/`));
    if (String(group).startsWith(MOUNT_GROUP)) view.isInMountGroup = isIn;
    if (group !== FENCED_GROUP || isIn === view.hasFenced) return;
    view.hasFenced = isIn;
    view.fencedSince = at;
  }

  #onRgMembers(view: MachineView, fact: AnyFact): void {
    const members = (fact.members as readonly number[]).join(' ');
    if (members !== view.rgMembers && fact.isQuorate === true) this.evaluatedAt = fact.at;
    view.rgMembers = members;
  }

  /** A newer change waits for its members only; when one was dealt with, nobody was refused. */
  #onFenceDomain(view: MachineView, { state, members, victims, at }: AnyFact): void {
    view.restsSince = state === 'none' ? at : Infinity;
    view.awaitsSince = state === 'messages' ? at : Infinity;
    // Victims that were assumed at its start are dropped when the domain's master knows better.
    if (state === 'none' || state === 'left') view.victims.clear();
    if (state === 'none') for (const victim of victims as readonly number[]) view.victims.add(victim);
    if (state === 'messages') return;
    const awaited = state === 'quorum' ? (members as readonly number[]) : [];
    for (const node of [...view.refused.keys()]) if (!awaited.includes(node)) view.refused.delete(node);
  }

  /** Storage fencing leaves the victim running: it has to be rebooted, unless it has gone down meanwhile. */
  #onFenced(view: MachineView, { victim, how }: AnyFact): void {
    view.victims.delete(Number(victim));
    const fenced = this.#views.get(Number(victim));
    if (fenced === undefined || how !== 'agent') return;
    if (fenced.state === 'up' || fenced.state === 'paused') fenced.illness ??= 'is fenced';
  }

  /**
   * Who has lost its registration fences nobody, and need not write for a long time. When the node that fenced it dies before it
   * tells, nobody hears of it; fence_scsi_check looks at the disk.
   */
  #onReservation(fact: AnyFact): void {
    for (const node of fact.preempted as readonly number[]) {
      const view = this.#views.get(node);
      if (view?.isRegistered === true) view.illness ??= 'has lost its registration';
    }
    const caller = this.#views.get(Number(fact.nexus));
    if (caller !== undefined) caller.isRegistered = this.#isRegistered(fact);
  }

  #isRegistered({ nexus, registered }: AnyFact): boolean {
    return (registered as readonly { readonly nexus: number }[]).some((each) => each.nexus === nexus);
  }

  #onPower(view: MachineView, { state, at, node }: AnyFact): void {
    if (state === 'up' && view.state !== 'paused') view.upSince = at;
    view.state = state as PowerState;
    if (state !== 'off') return;
    this.forget(node);
    view.ring = [];
    view.rgMembers = '';
    view.hasLostCorosync = false;
    view.hasQdiskd = false;
    view.isQuorate = false;
    view.isMounted = false;
    view.isInMountGroup = false;
    view.hasFenced = false;
    view.isRegistered = false;
    view.restsSince = view.awaitsSince = Infinity;
    view.victims.clear();
    view.refused.clear();
    view.awaitsFencing.clear();
    view.illness = undefined;
  }

  #onRequest(isAnswered: boolean): void {
    this.isAnswered = isAnswered;
    if (isAnswered) this.#answered += 1;
    else this.#failed += 1;
  }
}
