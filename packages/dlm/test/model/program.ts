// Programs of lock calls over several nodes that crash and come back, run on real lock managers. What each master makes of its
// owners' calls, in the order in which it carries them out, has to be what one table of locks makes of them.
import { type DlmFact, type DlmOutput, invariants, Mode, Status } from '@quorate/dlm';
import { Checker, crc32, MICROSECOND, MILLISECOND, type Nanos, Prng, SECOND, type Stamped } from '@quorate/kernel';
import { Cluster } from '../../src/conformance/cluster.js';
import { Membership } from '../membership.js';
import {
  type Completion,
  DEMOTED,
  type Effect,
  F,
  goTogether,
  LockTable,
  type TableLock,
  type TableResource,
} from './lock-table.js';

export type Command =
  | {
      readonly kind: 'request';
      readonly node: number;
      readonly name: number;
      readonly mode: number;
      readonly flags: number;
    }
  | { readonly kind: 'convert'; readonly lock: number; readonly mode: number; readonly flags: number }
  | { readonly kind: 'unlock'; readonly lock: number; readonly flags: number }
  | { readonly kind: 'run'; readonly microseconds: number }
  | { readonly kind: 'rest' }
  | { readonly kind: 'crash'; readonly node: number }
  | { readonly kind: 'boot' }
  | { readonly kind: 'break'; readonly node: number; readonly other: number };

export interface Program {
  readonly nodes: number;
  readonly seed: number;
  readonly isNodir: boolean;
  readonly commands: readonly Command[];
}

const LOCKSPACE = 'model';
const LVB = 8;
/** The last step of a recovery but for its barrier. */
const DONE = 0x40;

/** A call that was taken, and not yet carried out. */
interface Call {
  readonly call: 'request' | 'convert' | 'unlock' | 'cancel';
  readonly mode: number;
  readonly flags: number;
  /** What the buffer had when the call went to the master. */
  value: number | undefined;
  /** The owner is told the outcome without hearing from its master. */
  isSilent: boolean;
}

/** A completion that has to come. */
type Expected = Pick<Completion, 'status' | 'mode' | 'flags' | 'read' | 'seq'> & { readonly master: number };

/** A lock as its owner has it. */
interface Client {
  readonly node: number;
  readonly life: number;
  readonly handle: number;
  lkid: number;
  /** What it was told last. */
  mode: number;
  /** What the buffer has; undefined while there is none. */
  value: number | undefined;
  seq: number;
  /** Those of its last lock call, with those of unlocks and cancels since. */
  flags: number;
  /** Its last call, while it is made. */
  asked: { readonly mode: number; readonly flags: number };
  readonly calls: Call[];
  readonly expected: Expected[];
  canBeCanceled: boolean;
  canBeUnlocked: boolean;
  /** It has ended, or its node has. */
  isGone: boolean;
  hasCrashed: boolean;
  table: TableLock | undefined;
}

interface Told {
  readonly held: Map<Client, number>;
  readonly convert: Client[];
  readonly wait: Client[];
  value: { digest: number; seq: number } | undefined;
  isInvalid: boolean;
}

/** What of a resource is looked at, beside the table. */
interface Watched {
  master: number;
  isNew: boolean;
  /** A new master does not send its own locks what they have heard already, on their way from the old one perhaps. */
  areBastsUnsure: boolean;
  readonly expected: string[];
  readonly actual: string[];
  told: Told | undefined;
}

interface NodeState {
  isRecovering: boolean;
  members: readonly number[];
  /** Nodes that are gone, and whose locks have not been removed. */
  readonly gone: Set<number>;
}

export class ModelRun {
  readonly problems: string[] = [];
  readonly cluster: Cluster;
  readonly #table = new LockTable();
  readonly #checker = new Checker(invariants);
  readonly #membership: Membership;
  readonly #clients: Client[] = [];
  readonly #byHandle = new Map<number, Client>();
  /** By node and lock id. */
  readonly #byLkid = new Map<string, Client>();
  readonly #watched = new Map<string, Watched>();
  readonly #nodes = new Map<number, NodeState>();
  readonly #program: Program;
  #values = 0;
  /** Completions that were compared. */
  compared = 0;
  carriedOut = 0;
  recoveries = 0;

  constructor(program: Program) {
    this.#program = program;
    const prng = Prng.derive({ hi: 0, lo: program.seed }, 'model');
    this.cluster = new Cluster({
      nodes: Array.from({ length: program.nodes }, (_, i) => i + 1),
      config: { tossTime: 20 * MILLISECOND, scanInterval: 10 * MILLISECOND, recoverTimer: 50 * MILLISECOND },
      latency: () => 20 * MICROSECOND + prng.below(300 * MICROSECOND),
      onOutput: (node, output) => this.#onOutput(node, output),
      onFact: (fact) => this.#onFact(fact as Stamped<DlmFact>),
    });
    this.#membership = new Membership(this.cluster, LOCKSPACE, prng, 3 * MILLISECOND);
    for (const node of this.cluster.alive()) this.#create(node);
    this.#settle();
  }

  run(): string[] {
    for (const command of this.#program.commands) {
      this.#do(command);
      if (this.problems.length > 0) return this.problems;
    }
    this.#rest();
    if (this.problems.length > 0) return this.problems;
    for (let round = 0; round < 40 && this.#live().length > 0; round++) {
      for (const client of this.#live()) {
        this.#unlock(client, F.CANCEL);
        // A lock that was requested with that flag refuses it.
        this.#unlock(client, round % 2 === 0 ? F.FORCEUNLOCK : 0);
      }
      this.#settle();
    }
    this.#rest();
    for (const { node, handle } of this.#live()) this.problems.push(`lock ${handle} of node ${node} does not end`);
    this.#checker.end(this.cluster.now);
    return this.problems;
  }

  #do(command: Command): void {
    switch (command.kind) {
      case 'request':
        return this.#request(command);
      case 'convert': {
        const client = this.#pick(command.lock);
        if (client !== undefined) this.#lock(client, 0, command.mode, command.flags | F.CONVERT);
        return;
      }
      case 'unlock': {
        const client = this.#pick(command.lock);
        if (client !== undefined) this.#unlock(client, command.flags);
        return;
      }
      case 'run':
        return this.#runFor(command.microseconds * MICROSECOND);
      case 'rest':
        return this.#rest();
      case 'crash':
        return this.#crash(command.node);
      case 'boot':
        return this.#boot();
      case 'break':
        return this.#break(command.node, command.other);
    }
  }

  // Calls

  #live(): Client[] {
    return this.#clients.filter((client) => !client.isGone);
  }

  #pick(index: number): Client | undefined {
    const live = this.#live();
    return live[index % Math.max(1, live.length)];
  }

  #request({ node: at, name, mode, flags }: Command & { kind: 'request' }): void {
    const members = this.#membership.members.filter((id) => this.cluster.nodes.get(id)!.isAlive);
    if (members.length === 0) return;
    const node = members[at % members.length]!;
    const client: Client = {
      node,
      life: this.cluster.nodes.get(node)!.life,
      handle: this.#clients.length + 1,
      lkid: 0,
      mode: Mode.IV,
      value: undefined,
      seq: 0,
      flags: 0,
      asked: { mode, flags },
      calls: [],
      expected: [],
      canBeCanceled: false,
      canBeUnlocked: false,
      isGone: false,
      hasCrashed: false,
      table: undefined,
    };
    this.#clients.push(client);
    this.#byHandle.set(client.handle, client);
    this.#lock(client, name, mode, flags);
  }

  /** Calls while a lockspace stands still would be carried out later, and the buffer is filled then: they are left out. */
  #isRunning(node: number): boolean {
    return this.cluster.nodes.get(node)!.dlm.inspect().lockspaces[0]?.isRunning === true;
  }

  #lock(client: Client, name: number, mode: number, flags: number): void {
    if (!this.#isRunning(client.node)) {
      if ((flags & F.CONVERT) === 0) client.isGone = true;
      return;
    }
    client.asked = { mode, flags };
    const value = this.#fill(client, flags);
    const { handle } = client;
    const call = { kind: 'lock', lockspace: LOCKSPACE, handle, name: `r${name}`, mode, flags } as const;
    this.#refused = undefined;
    this.cluster.input(client.node, value === undefined ? call : { ...call, lvb: value });
    this.#judgeRefusal(client, isLegal(flags, mode));
  }

  #unlock(client: Client, flags: number): void {
    if (!this.#isRunning(client.node)) return;
    client.asked = { mode: Mode.IV, flags };
    const value = (flags & F.CANCEL) === 0 ? this.#fill(client, flags) : undefined;
    const call = { kind: 'unlock', lockspace: LOCKSPACE, handle: client.handle, flags } as const;
    this.#refused = undefined;
    this.cluster.input(client.node, value === undefined ? call : { ...call, lvb: value });
  }

  /** With VALBLK the caller fills the buffer, if there is one: also when it is refused then. */
  #fill(client: Client, flags: number): Uint8Array | undefined {
    if ((flags & F.VALBLK) === 0) return undefined;
    const isRequest = (flags & F.CONVERT) === 0 && client.lkid === 0;
    this.#values += 1;
    if (isRequest || client.value !== undefined) client.value = this.#values;
    if (client.table?.isLocal === true) client.table.value = client.value;
    return bytesOf(this.#values);
  }

  #refused: string | undefined;

  #judgeRefusal(client: Client, legal: boolean): void {
    const found = this.#refused;
    if (legal && found === undefined) return;
    if (client.lkid === 0) client.isGone = true;
    if (!legal && found === undefined) this.#problem(`an illegal call for lock ${client.handle} was taken`);
    if (legal && client.lkid === 0) this.#problem(`a legal request was refused with ${found}`);
    if (!legal && found !== 'EINVAL') this.#problem(`an illegal call was refused with ${found}`);
  }

  // Faults

  #crash(at: number): void {
    const { members } = this.#membership;
    if (members.length < 2) return;
    const node = members[at % members.length]!;
    this.cluster.kill(node);
    for (const client of this.#clients) {
      if (client.node !== node || client.isGone) continue;
      client.isGone = client.hasCrashed = true;
    }
    this.#membership.fail(node);
  }

  #boot(): void {
    for (const { id, isAlive } of this.cluster.nodes.values()) {
      if (isAlive) continue;
      this.cluster.boot(id);
      return this.#create(id);
    }
  }

  #create(node: number): void {
    this.#nodes.set(node, { isRecovering: false, members: [], gone: new Set() });
    const { isNodir } = this.#program;
    this.cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: LVB, isFs: false, isNodir });
  }

  #break(a: number, b: number): void {
    const { members } = this.#membership;
    const [node, other] = [members[a % members.length], members[b % members.length]];
    if (node !== undefined && other !== undefined && node !== other) this.cluster.breakConnection(node, other);
  }

  // What is heard

  #onOutput(node: number, output: DlmOutput): void {
    switch (output.kind) {
      case 'online':
        return this.#membership.join(node);
      case 'cast':
        return this.#onCast(node, output);
      case 'call-refused':
        this.#refused = output.errno;
    }
  }

  #onCast(node: number, cast: Extract<DlmOutput, { kind: 'cast' }>): void {
    const client = this.#byHandle.get(cast.handle);
    if (client?.node !== node || client.isGone) return this.#problem(`a completion for nobody on node ${node}`);
    const expected = client.expected.shift();
    if (expected === undefined) this.#judgeUnexpected(client, cast);
    else this.#compare(client, expected, cast);
    client.mode = cast.mode;
    if (cast.status === Status.EUNLOCK || (cast.status !== Status.granted && cast.mode === Mode.IV))
      client.isGone = true;
  }

  /** An operation that no master has carried out, or whose master is gone, ends by itself if it was canceled or unlocked. */
  #judgeUnexpected(client: Client, { status }: Extract<DlmOutput, { kind: 'cast' }>): void {
    const isEnded =
      (status === Status.ECANCEL && client.canBeCanceled) || (status === Status.EUNLOCK && client.canBeUnlocked);
    // What was canceled will not be carried out any more.
    if (status === Status.ECANCEL)
      client.calls.splice(0, client.calls.map(({ call }) => call).lastIndexOf('cancel') + 1);
    if (!isEnded)
      this.#problem(`lock ${client.handle} of node ${client.node} completes with ${status}, and no master said so`);
  }

  #compare(client: Client, expected: Expected, cast: Extract<DlmOutput, { kind: 'cast' }>): void {
    this.compared += 1;
    if (expected.read !== undefined) {
      client.value = expected.read;
      client.seq = expected.seq;
    }
    const value = cast.lvb === undefined ? undefined : numberOf(cast.lvb);
    // The flags of an unlock that a grant comes across count already, and the owner takes what the grant brings for a value read.
    if (expected.status === 0 && client.canBeUnlocked && value !== undefined) client.value = value;
    // An unlock that overtook its request brings the flags of the grant along.
    const heeded = cast.status === Status.EUNLOCK ? 0 : ~0;
    const found = `${cast.status} ${cast.mode} flags ${cast.flags & heeded} value ${value}`;
    const wanted = `${expected.status} ${expected.mode} flags ${expected.flags & heeded} value ${client.value}`;
    if (found !== wanted)
      this.#problem(`lock ${client.handle} of node ${client.node}: found ${found}, expected ${wanted}`);
  }

  #onFact(fact: Stamped<DlmFact>): void {
    this.#checker.observe(fact);
    switch (fact.kind) {
      case 'dlm.called':
        return this.#onCalled(fact);
      case 'dlm.converting':
        return this.#onConverting(fact);
      case 'dlm.unlocked':
        this.#sent(this.#client(fact.node, fact.lkid)!, 'unlock');
        return;
      case 'dlm.carried-out':
        return this.#onCarriedOut(fact);
      case 'dlm.held':
      case 'dlm.queued':
      case 'dlm.bast':
        return this.#onEffect(fact);
      case 'dlm.master':
        return this.#onMaster(fact);
      case 'dlm.master-released':
        return this.#onReleased(fact);
      case 'dlm.lvb-dropped':
        this.#table.resource(fact.resource).value = undefined;
        return;
      case 'dlm.lvb-written':
      case 'dlm.lvb-invalid':
        return this.#onValue(fact);
      case 'dlm.started':
        return this.#onStarted(fact);
      case 'dlm.recover-status':
        if (fact.bit === DONE) this.#onSettled(fact);
        return;
      case 'dlm.recovered':
        return this.#onRecovered(fact);
      case 'dlm.regranted':
        return this.#onRegranted(fact.resource);
    }
  }

  #onCalled({ node, lkid, call, resource }: Stamped<DlmFact> & { kind: 'dlm.called' }): void {
    const client = call === 'request' ? this.#clients.at(-1)! : this.#client(node, lkid);
    if (client === undefined) return this.#problem(`a call of an unknown lock ${lkid} on node ${node}`);
    if (call === 'request') {
      client.lkid = lkid;
      this.#byLkid.set(`${node}/${lkid}`, client);
      this.#watch(resource);
    }
    // A conversion makes the buffer, but none that is refused, and no unlock.
    if ((client.asked.flags & F.VALBLK) !== 0 && call !== 'cancel' && call !== 'unlock') client.value ??= this.#values;
    client.flags = client.asked.flags | (call === 'request' || call === 'convert' ? 0 : client.flags);
    if (call === 'cancel') client.canBeCanceled = true;
    if (call === 'unlock') client.canBeUnlocked = true;
    client.calls.push({ call, ...client.asked, value: client.value, isSilent: false });
  }

  /** A down-conversion is granted by its owner; its master hears of it. */
  #onConverting({ node, lkid, resource, from, to }: Stamped<DlmFact> & { kind: 'dlm.converting' }): void {
    const client = this.#client(node, lkid)!;
    const call = this.#sent(client, 'convert');
    if (isMiddle(Mode[from], Mode[to]) || Mode[to] >= Mode[from] || this.#watch(resource).master === node) return;
    if (call !== undefined) call.isSilent = true;
    client.expected.push({ status: 0, mode: Mode[to], flags: 0, read: undefined, seq: 0, master: node });
  }

  /** A call goes to its master, perhaps anew. */
  #sent(client: Client, kind: Call['call']): Call | undefined {
    const call =
      [...client.calls].reverse().find((each) => each.call === kind) ??
      (kind === 'convert' ? this.#made.get(client) : undefined);
    if (call !== undefined) call.value = client.value;
    return call;
  }

  #onCarriedOut({ node, owner, ownerLkid, call, resource }: Stamped<DlmFact> & { kind: 'dlm.carried-out' }): void {
    this.carriedOut += 1;
    const client = this.#client(owner, ownerLkid);
    if (client === undefined) return this.#problem(`node ${node} carries a ${call} of nobody out`);
    this.#verify(resource);
    const at = client.calls.findIndex((each) => each.call === call);
    const made = at < 0 ? this.#lastOf(client, call) : client.calls[at]!;
    // What was called before and was not carried out has been overtaken.
    client.calls.splice(0, at + 1);
    const lock = this.#carryOut(client, resource, node, call, made);
    if (lock === undefined) return;
    this.#take(resource, node, made.isSilent ? lock : undefined);
  }

  readonly #made = new Map<Client, Call>();

  /** A call that is issued anew after a recovery. */
  #lastOf(client: Client, call: Call['call']): Call {
    return this.#made.get(client) ?? { call, mode: Mode.IV, flags: 0, value: client.value, isSilent: false };
  }

  #carryOut(client: Client, resource: string, master: number, call: Call['call'], made: Call): TableLock | undefined {
    if (call === 'request' || call === 'convert') this.#made.set(client, made);
    if (call === 'request') {
      if (client.table !== undefined && this.#isListed(client.table)) {
        this.#problem(`lock ${client.handle} of node ${client.node} is requested twice`);
      }
      client.table = this.#newLock(client, resource);
    }
    const lock = client.table;
    if (lock === undefined) {
      this.#problem(`a ${call} of lock ${client.handle}, which no master has`);
      return undefined;
    }
    lock.isLocal = master === client.node;
    const flags = call === 'request' || call === 'convert' ? made.flags : lock.flags | made.flags;
    if ((flags & F.VALBLK) !== 0) {
      if (lock.isLocal) lock.value = client.value;
      // A request brings no value along.
      else if (call === 'request') lock.value = 0;
      else if (call !== 'cancel') lock.value = made.value ?? 0;
    }
    if (lock.isLocal || call === 'convert') lock.seq = client.seq;
    switch (call) {
      case 'request':
        this.#table.request(lock, made.mode, made.flags);
        break;
      case 'convert':
        this.#table.convert(lock, made.mode, made.flags & ~F.CONVERT);
        break;
      case 'unlock':
        this.#table.unlock(lock, made.flags);
        break;
      case 'cancel':
        this.#table.cancel(lock, made.flags);
        break;
    }
    return lock;
  }

  #newLock(client: Client, resource: string): TableLock {
    return {
      name: `${client.node}/${client.lkid}`,
      owner: client.node,
      resource: this.#table.resource(resource),
      isLocal: true,
      granted: Mode.IV,
      wanted: Mode.IV,
      flags: 0,
      outcome: 0,
      highBast: 0,
      value: undefined,
      seq: 0,
    };
  }

  /** What the table did: effects are compared, completions have to come. */
  #take(resource: string, master: number, silent: TableLock | undefined): void {
    const watched = this.#watch(resource);
    watched.expected.push(...this.#table.effects.splice(0).map(textOfEffect));
    let isFirst = true;
    for (const { lock, ...completion } of this.#table.completions.splice(0)) {
      const client = this.#byLkid.get(lock.name);
      const isSilent = isFirst && lock === silent;
      isFirst = false;
      if (client === undefined || isSilent) continue;
      // Of a value block that is read here the owner's buffer is the table's.
      client.expected.push({ ...completion, master });
    }
  }

  #onEffect(fact: Stamped<DlmFact> & { kind: 'dlm.held' | 'dlm.queued' | 'dlm.bast' }): void {
    const { node, owner, ownerLkid, resource } = fact;
    const watched = this.#watch(resource);
    if (this.#nodes.get(node)!.isRecovering) return this.#onTold(watched, fact);
    const lock = `${owner}/${ownerLkid}`;
    switch (fact.kind) {
      case 'dlm.held':
        watched.actual.push(fact.mode === 'IV' ? `gone ${lock}` : `grant ${lock} ${Mode[fact.mode]}`);
        return;
      case 'dlm.queued':
        watched.actual.push(`queue ${lock} ${fact.queue}`);
        return;
      case 'dlm.bast':
        watched.actual.push(`bast ${lock} ${Mode[fact.mode]}`);
    }
  }

  /** Grants and queues come in the order of the table; whom blocking ASTs go to first is nobody's business. */
  #verify(resource: string): void {
    const { expected, actual, areBastsUnsure } = this.#watch(resource);
    const [wanted, found] = [orderly(expected.splice(0), areBastsUnsure), orderly(actual.splice(0), areBastsUnsure)];
    if (wanted.join() !== found.join()) {
      this.#problem(`${resource}: found [${found.join(', ')}], expected [${wanted.join(', ')}]`);
    }
  }

  // Recovery

  #onMaster({ node, resource }: Stamped<DlmFact> & { kind: 'dlm.master' }): void {
    const watched = this.#watch(resource);
    this.#verify(resource);
    watched.isNew = this.#nodes.get(node)!.isRecovering;
    // The master before is dead, and nobody had a lock that could have told of it.
    if (!watched.isNew && watched.master !== 0) this.#forget(resource);
    watched.areBastsUnsure = watched.isNew;
    watched.master = node;
    watched.told = undefined;
  }

  #forget(resource: string): void {
    this.#table.resources.delete(resource);
    for (const client of this.#clients) {
      if (client.table?.resource.name !== resource) continue;
      client.table = undefined;
      if (!client.isGone && client.mode !== Mode.IV && !client.canBeUnlocked)
        this.#problem(`${resource}: lock ${client.handle} of node ${client.node} is lost with its master`);
    }
  }

  #onReleased({ node, resource }: Stamped<DlmFact> & { kind: 'dlm.master-released' }): void {
    const watched = this.#watch(resource);
    if (watched.master !== node) return;
    const { gone, isRecovering } = this.#nodes.get(node)!;
    // As if it had died: the owners bring their locks to the next one.
    if (this.#program.isNodir && isRecovering) return;
    const r = this.#table.resource(resource);
    if ([...r.granted, ...r.converting, ...r.waiting].some(({ owner }) => !gone.has(owner))) {
      this.#problem(`node ${node} gives ${resource} up, which is in use`);
    }
    this.#table.resources.delete(resource);
    watched.master = 0;
  }

  #onStarted({ node, members, added }: Stamped<DlmFact> & { kind: 'dlm.started' }): void {
    const state = this.#nodes.get(node)!;
    state.isRecovering = true;
    for (const member of state.members) if (!members.includes(member) || added.includes(member)) state.gone.add(member);
    state.members = members;
    // What the dead said and did not arrive until now will not; without a directory what anybody else said.
    for (const client of this.#clients) {
      if (client.node !== node) continue;
      const isLost = (master: number): boolean => (this.#program.isNodir ? master !== node : state.gone.has(master));
      const kept = client.expected.filter(({ master }) => !isLost(master));
      client.expected.splice(0, client.expected.length, ...kept);
    }
  }

  #onTold(watched: Watched, fact: Stamped<DlmFact> & { kind: 'dlm.held' | 'dlm.queued' | 'dlm.bast' }): void {
    const client = this.#client(fact.owner, fact.ownerLkid);
    if (client === undefined || (client.isGone && !client.hasCrashed) || fact.kind === 'dlm.bast') return;
    if (fact.kind === 'dlm.held' && fact.mode === 'IV') return;
    watched.told ??= { held: new Map(), convert: [], wait: [], value: undefined, isInvalid: false };
    if (fact.kind === 'dlm.held') watched.told.held.set(client, Mode[fact.mode]);
    else {
      const queue = watched.told[fact.queue];
      if (!queue.includes(client)) queue.push(client);
    }
  }

  #onValue(fact: Stamped<DlmFact> & { kind: 'dlm.lvb-written' | 'dlm.lvb-invalid' }): void {
    const watched = this.#watch(fact.resource);
    if (!this.#nodes.get(fact.node)!.isRecovering) return;
    watched.told ??= { held: new Map(), convert: [], wait: [], value: undefined, isInvalid: false };
    if (fact.kind === 'dlm.lvb-invalid') watched.told.isInvalid = true;
    else watched.told.value = { digest: fact.digest, seq: fact.lvbseq };
  }

  #onRecovered({ node }: Stamped<DlmFact> & { kind: 'dlm.recovered' }): void {
    this.recoveries += 1;
    const state = this.#nodes.get(node)!;
    state.isRecovering = false;
    state.gone.clear();
  }

  /** All locks are in, and this node's part is done: the recovery may yet be cut short, and the next one begins with this. */
  #onSettled({ node }: Stamped<DlmFact> & { kind: 'dlm.recover-status' }): void {
    const { gone } = this.#nodes.get(node)!;
    for (const [name, watched] of this.#watched) {
      if (watched.master !== node) continue;
      const r = this.#table.resource(name);
      if (watched.isNew) this.#adopt(r, watched);
      else this.#purge(r, gone, watched);
      watched.isNew = false;
      watched.told = undefined;
    }
  }

  /** The master is still the same: locks of the dead go, all others stay where they are. */
  #purge(r: TableResource, gone: ReadonlySet<number>, { told }: Watched): void {
    const dead = [...r.granted, ...r.converting, ...r.waiting].filter(({ owner, name }) => {
      return gone.has(owner) || this.#byLkid.get(name) === undefined;
    });
    for (const lock of dead) {
      if ((lock.flags & F.VALBLK) !== 0 && lock.granted >= Mode.PW) r.isInvalid = true;
      for (const queue of ['granted', 'converting', 'waiting'] as const)
        r[queue] = r[queue].filter((each) => each !== lock);
    }
    // Without locks nothing is granted again, and the next locks have an order.
    const isUsed = r.granted.length + r.converting.length + r.waiting.length > 0;
    r.isMixed = (r.isMixed || dead.length > 0) && isUsed;
    if (told === undefined) return;
    const wanted = [...r.granted, ...r.converting]
      .filter(({ granted }) => granted !== Mode.IV)
      .map((lock) => `${lock.name} ${lock.granted}`);
    const found = [...told.held].map(([client, mode]) => `${client.node}/${client.lkid} ${mode}`);
    if (wanted.sort().join() !== found.sort().join()) {
      this.#problem(`${r.name}: after recovery found [${found.join(', ')}], expected [${wanted.join(', ')}]`);
    }
    for (const [queue, list] of [
      ['convert', r.converting],
      ['wait', r.waiting],
    ] as const) {
      const [have, want] = [told[queue].map((client) => `${client.node}/${client.lkid}`), list.map(({ name }) => name)];
      if (have.join() !== want.join()) this.#problem(`${r.name}: the ${queue} queue is [${have}], expected [${want}]`);
    }
  }

  /** A new master: its table begins with what the owners that are left had, in whatever order that came. */
  #adopt(r: TableResource, { told, master }: Watched): void {
    const owners = this.#clients.filter((client) => client.table?.resource.name === r.name || told?.held.has(client));
    const fresh = this.#table.resources.get(r.name) === r ? r : this.#table.resource(r.name);
    fresh.granted = [];
    fresh.converting = [];
    fresh.waiting = [];
    for (const client of owners) {
      const { table } = client;
      // What it converted down by itself it has, whether the dead master had heard of it or not.
      const open = client.calls.filter(({ isSilent }) => !isSilent);
      client.calls.splice(0, client.calls.length, ...open);
      if (table === undefined) continue;
      const held = told?.held.get(client);
      const isQueued = told !== undefined && (told.convert.includes(client) || told.wait.includes(client));
      if (held === undefined && !isQueued) {
        if (!client.isGone && client.mode !== Mode.IV && !client.canBeUnlocked) {
          this.#problem(
            `${r.name}: lock ${client.handle} of node ${client.node} in ${client.mode} is lost with its master`,
          );
        }
        client.table = undefined;
        continue;
      }
      // Of a demotion that its owner has not heard of nobody knows any more.
      table.outcome = held === Mode.NL ? table.outcome & DEMOTED : 0;
      const isOpen = isMiddle(held, client.mode) || table.outcome !== 0 || client.expected.length > 0;
      if (held !== undefined && held !== client.mode && !isOpen && !client.isGone) {
        this.#problem(
          `${r.name}: lock ${client.handle} has ${held} on its new master, its owner was told ${client.mode}`,
        );
      }
      table.resource = fresh;
      table.granted = held ?? Mode.IV;
      table.flags = client.flags & ~F.CONVERT;
      table.highBast = 0;
      table.isLocal = client.node === master;
      table.value = client.value;
      table.seq = client.seq;
      if (!isQueued) {
        table.wanted = Mode.IV;
        fresh.granted.push(table);
      }
    }
    for (const client of told?.convert ?? []) if (client.table !== undefined) fresh.converting.push(client.table);
    for (const client of told?.wait ?? []) if (client.table !== undefined) fresh.waiting.push(client.table);
    for (const queue of [fresh.converting, fresh.waiting]) {
      for (const lock of queue) lock.wanted = this.#made.get(this.#byLkid.get(lock.name)!)?.mode ?? lock.wanted;
    }
    fresh.isMixed = fresh.converting.length + fresh.waiting.length > 0;
    this.#adoptValue(fresh, told);
  }

  /** A value of a holder above CR is the one; otherwise the latest that anybody has, and not valid. */
  #adoptValue(r: TableResource, told: Told | undefined): void {
    const users = [...r.granted, ...r.converting].filter(
      ({ flags, value }) => (flags & F.VALBLK) !== 0 && value !== undefined,
    );
    const isSure = users.some(({ granted }) => granted > Mode.CR);
    const candidates = isSure ? users.filter(({ granted }) => granted > Mode.CR) : users;
    r.isInvalid = told?.isInvalid === true;
    r.value = undefined;
    if (told?.value === undefined) {
      if (isSure) this.#problem(`${r.name}: its new master has no value`);
      // Somebody waits who would have read one, if there was one.
      if (r.isInvalid) r.value = 0;
      return;
    }
    const { digest, seq } = told.value;
    const chosen = candidates.find(({ value }) => crc32(bytesOf(value!)) === digest);
    if (chosen === undefined) return this.#problem(`${r.name}: the value on its new master is of nobody`);
    if (isSure === told.isInvalid)
      this.#problem(`${r.name}: its value is ${isSure ? 'valid, and was' : 'not valid, and was not'} declared invalid`);
    r.value = chosen.value;
    r.seq = seq;
  }

  #onRegranted(resource: string): void {
    this.#verify(resource);
    const r = this.#table.resource(resource);
    this.#table.sweep(r);
    r.isMixed = false;
    this.#take(resource, this.#watch(resource).master, undefined);
  }

  // Rest

  #isListed(lock: TableLock): boolean {
    const { granted, converting, waiting } = lock.resource;
    return [granted, converting, waiting].some((queue) => queue.includes(lock));
  }

  #rest(): void {
    this.#settle();
    if (this.problems.length > 0) return;
    for (const resource of this.#watched.keys()) this.#verify(resource);
    for (const client of this.#live()) {
      if (client.expected.length > 0)
        this.#problem(`lock ${client.handle} of node ${client.node} was not told ${JSON.stringify(client.expected)}`);
    }
    for (const r of this.#table.resources.values()) {
      const holders = [...r.granted, ...r.converting];
      for (const a of holders)
        for (const b of holders)
          if (a !== b && !goTogether(a.granted, b.granted))
            this.#problem(`the table has ${a.granted} beside ${b.granted}`);
    }
    this.#checker.tick(this.cluster.now + 3600 * SECOND);
    for (const { invariant, message } of this.#checker.violations) this.#problem(`${invariant}: ${message}`);
  }

  #watch(resource: string): Watched {
    let watched = this.#watched.get(resource);
    if (watched === undefined) {
      watched = { master: 0, isNew: false, areBastsUnsure: false, expected: [], actual: [], told: undefined };
      this.#watched.set(resource, watched);
    }
    return watched;
  }

  #client(node: number, lkid: number): Client | undefined {
    return this.#byLkid.get(`${node}/${lkid}`);
  }

  #problem(text: string): void {
    this.problems.push(`${(this.cluster.now / MILLISECOND).toFixed(3)} ms: ${text}`);
  }

  #runFor(span: Nanos): void {
    const until = this.cluster.now + span;
    for (;;) {
      const at = Math.min(this.#membership.nextAt(), until);
      this.cluster.runTo(Math.max(at, this.cluster.now));
      if (this.#membership.nextAt() > this.cluster.now) {
        if (this.cluster.now >= until) return;
        continue;
      }
      this.#membership.run();
    }
  }

  #settle(): void {
    for (let i = 0; i < 100; i++) {
      this.#runFor(5 * MILLISECOND);
      if (Math.min(this.cluster.next(), this.#membership.nextAt()) > this.cluster.now + 200 * MILLISECOND) return;
    }
  }
}

function textOfEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'grant':
    case 'bast':
      return `${effect.kind} ${effect.lock} ${effect.mode}`;
    case 'queue':
      return `queue ${effect.lock} ${effect.queue}`;
    case 'gone':
      return `gone ${effect.lock}`;
  }
}

/** The master died with a conversion between the two. */
function isMiddle(a: number | undefined, b: number): boolean {
  return (a === Mode.PR && b === Mode.CW) || (a === Mode.CW && b === Mode.PR);
}

function orderly(effects: readonly string[], areBastsUnsure: boolean): string[] {
  const isBast = (effect: string): boolean => effect.startsWith('bast');
  return [...effects.filter((effect) => !isBast(effect)), ...(areBastsUnsure ? [] : effects.filter(isBast).sort())];
}

/** Which flags a lock call may have together. */
function isLegal(flags: number, mode: number): boolean {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(F.CANCEL)) return false;
  if (has(F.QUECVT) && !has(F.CONVERT)) return false;
  if (has(F.CONVDEADLK) && (!has(F.CONVERT) || has(F.NOQUEUE))) return false;
  return !has(F.EXPEDITE) || (mode === Mode.NL && !has(F.CONVERT) && !has(F.QUECVT) && !has(F.NOQUEUE));
}

function bytesOf(value: number): Uint8Array {
  const bytes = new Uint8Array(LVB);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
