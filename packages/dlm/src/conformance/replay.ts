import { fromHex } from '@quorate/kernel';
import type { DlmOutput } from '../dlm-io.js';
import { LockFlag, StatusFlag } from '../lock-flags.js';
import type { LockView, ResourceView } from '../lockspace-view.js';
import { LvbOperation, lvbOperation, Mode, modeName } from '../mode.js';
import { debugText } from '../texts/debug-text.js';
import { Cluster, changeMembers, createLockspace } from './cluster.js';
import type { RecordedCase, RecordedStep } from './recorded-case.js';

const LOCKSPACE = 't';
/** Number of the process that each node has from the start. */
const MAIN_PROCESS = 1000;
/** Of no lock. */
const NO_HANDLE = 0;
const ERRNO: Readonly<Record<string, number>> = { EINVAL: 22, EBUSY: 16, ENOENT: 2, EAGAIN: 11 };

interface Lock {
  readonly name: string;
  readonly handle: number;
  readonly node: number;
  /** The caller's value block. */
  buffer: Uint8Array;
  hasUsedValblk: boolean;
  lastMode: number;
  state: string | undefined;
  readonly events: Record<string, unknown>[];
}

/** One case under way. */
class Replay {
  readonly #case: RecordedCase;
  readonly #cluster: Cluster;
  readonly #locks = new Map<string, Lock>();
  readonly #byHandle = new Map<number, Lock>();
  /** Lock ids as of the last look, of locks that are there and of all. */
  readonly #lkids = new Map<Lock, number>();
  readonly #lastLkid = new Map<Lock, number>();
  /** Errno of the call under way. */
  #refused: number | undefined;
  readonly after: (Record<string, string> | null)[] = [];
  #step = 0;

  constructor(recorded: RecordedCase, isStrict: boolean) {
    this.#case = recorded;
    this.#cluster = new Cluster({
      nodes: Array.from({ length: recorded.nodes }, (_, i) => i + 1),
      config: { strictReference: isStrict },
      onOutput: (_node, output) => this.#onOutput(output),
    });
    createLockspace(this.#cluster, LOCKSPACE, recorded.lvblen);
  }

  run(): void {
    this.#case.steps.forEach((step, i) => {
      this.#step = i;
      this.#do(step);
      if (step.nowait !== true) this.#cluster.settle();
      this.#look();
    });
  }

  expectOf(lock: string): Record<string, unknown>[] {
    return this.#locks.get(lock)?.events ?? [];
  }

  get lockNames(): string[] {
    return [...this.#locks.keys()];
  }

  #do(step: RecordedStep): void {
    switch (step.do) {
      case 'lock':
      case 'convert':
        return this.#lock(step);
      case 'unlock':
      case 'cancel':
        return this.#unlock(step);
      case 'kill':
        this.#cluster.kill(step.node!);
        return changeMembers(this.#cluster, LOCKSPACE, this.#cluster.alive(), [step.node!]);
      case 'deadlock':
        return this.#unlock(step);
      case 'exit':
        return this.#cluster.input(step.node!, {
          kind: 'process-exit',
          lockspace: LOCKSPACE,
          process: step.proc ?? MAIN_PROCESS,
        });
      case 'purge':
        return this.#cluster.input(step.node!, {
          kind: 'purge',
          lockspace: LOCKSPACE,
          node: step.target!,
          process: step.pid!,
          by: MAIN_PROCESS,
        });
      case 'freeze':
        return this.#cluster.freeze(step.node!);
      case 'thaw':
        return this.#cluster.thaw(step.node!);
      case 'settle':
        return;
    }
    throw new RangeError(`step ${step.do} is not supported`);
  }

  #lockOf(step: RecordedStep): Lock {
    const name = step.lock!;
    let lock = this.#locks.get(name);
    if (lock === undefined) {
      lock = {
        name,
        handle: this.#locks.size + 1,
        node: step.node!,
        buffer: new Uint8Array(this.#case.lvblen),
        hasUsedValblk: false,
        lastMode: Mode.NL,
        state: undefined,
        events: [],
      };
      this.#locks.set(name, lock);
      this.#byHandle.set(lock.handle, lock);
    }
    if (step.do !== 'unlock' && step.flags?.includes('VALBLK')) lock.hasUsedValblk = true;
    if (step.lvb !== undefined) {
      lock.buffer.fill(0);
      lock.buffer.set(fromHex(step.lvb));
    }
    return lock;
  }

  #lock(step: RecordedStep): void {
    const lock = this.#lockOf(step);
    const isConvert = step.do === 'convert';
    const flags = flagsOf(step.flags) | (isConvert ? LockFlag.CONVERT : 0);
    const mode = typeof step.mode === 'number' ? step.mode : Mode[step.mode as keyof typeof Mode];
    this.#call(step, lock, (handle) => {
      this.#cluster.input(lock.node, {
        kind: 'lock',
        lockspace: LOCKSPACE,
        handle,
        name: isConvert ? '' : this.#case.names[step.resource!]!,
        mode,
        flags,
        wantsBast: step.bast !== false,
        process: step.proc ?? MAIN_PROCESS,
        // The kernel's device copies the caller's bytes in with every conversion, but not with a new request.
        ...(isConvert ? { lvb: lock.buffer } : {}),
      });
    });
  }

  #unlock(step: RecordedStep): void {
    const lock = this.#lockOf(step);
    const flags = flagsOf(step.flags) | (step.do === 'unlock' ? 0 : LockFlag.CANCEL);
    this.#call(step, lock, (handle) => {
      this.#cluster.input(lock.node, {
        kind: 'unlock',
        lockspace: LOCKSPACE,
        handle,
        flags,
        ...((flags & LockFlag.CANCEL) === 0 ? { lvb: lock.buffer } : {}),
        ...(step.do === 'deadlock' ? { isDeadlock: true } : {}),
      });
    });
  }

  #call(step: RecordedStep, lock: Lock, call: (handle: number) => void): void {
    this.#refused = undefined;
    const event: Record<string, unknown> = { step: this.#step, ret: 0 };
    lock.events.push(event);
    const called = this.#calledBy(lock, step.lkid);
    // What follows goes to the symbol that called last.
    if (called !== undefined) this.#byHandle.set(called.handle, lock);
    call(called?.handle ?? NO_HANDLE);
    if (this.#refused !== undefined) event.ret = -this.#refused;
  }

  /** The recorder called by lock id: through a dead one it reached the lock that has the id now. */
  #calledBy(lock: Lock, namedLkid: number | undefined): Lock | undefined {
    const withId = (lkid: number): Lock | undefined =>
      [...this.#lkids].find(([other, id]) => other.node === lock.node && id === lkid)?.[0];
    if (namedLkid !== undefined) return withId(namedLkid);
    const lkid = this.#lastLkid.get(lock);
    return lkid === undefined || this.#lkids.has(lock) ? lock : (withId(lkid) ?? lock);
  }

  #onOutput(output: DlmOutput): void {
    switch (output.kind) {
      case 'call-refused':
        this.#refused = ERRNO[output.errno]!;
        break;
      case 'bast':
        this.#byHandle.get(output.handle)!.events.push({ step: this.#burstEnd(), bast: modeName(output.mode) });
        break;
      case 'cast':
        this.#onCast(this.#byHandle.get(output.handle)!, output);
        break;
    }
  }

  #onCast(lock: Lock, { status, mode, flags, lvb }: Extract<DlmOutput, { kind: 'cast' }>): void {
    // The device copies the value block out unless the grant wrote it.
    const isCopied = status === 0 && lvbOperation(lock.lastMode, mode) !== LvbOperation.write;
    if (isCopied && lvb !== undefined && lock.hasUsedValblk) lock.buffer.set(lvb);
    lock.lastMode = mode;
    const names = Object.entries(StatusFlag)
      .filter(([, bit]) => (flags & bit) !== 0)
      .map(([name]) => name);
    lock.events.push({
      step: this.#burstEnd(),
      ast: status === 0 ? 0 : -status,
      ...(names.length > 0 ? { flags: names } : {}),
      ...(lock.hasUsedValblk ? { lvb: hexCut(lock.buffer) } : {}),
    });
  }

  /** Events of a burst carry the number of its last step. */
  #burstEnd(): number {
    let step = this.#step;
    while (this.#case.steps[step]!.nowait === true) step += 1;
    return step;
  }

  /** What the recorder noted after a step: changes of state, and the mode with the last completion. */
  #look(): void {
    const isBurst = this.#case.after[this.#step] === null;
    const views = this.#views();
    const changes: Record<string, string> = {};
    for (const lock of this.#locks.values()) {
      const view = views.get(lock);
      const isDeaf = this.#cluster.nodes.get(lock.node)!.isFrozen;
      const isDead = !this.#cluster.nodes.get(lock.node)!.isAlive;
      const last = lock.events.at(-1);
      this.#noteMode(lock, view);
      if (isDead || last === undefined || isBurst) continue;
      const state = isDeaf ? '?' : stateOf(view);
      if (state !== lock.state) changes[lock.name] = state;
      lock.state = state;
    }
    this.after.push(isBurst ? null : changes);
  }

  #noteMode(lock: Lock, view: LockView | undefined): void {
    const casts = lock.events.filter((event) => event.step === this.#step && event.ast !== undefined);
    const last = casts.at(-1);
    if (last === undefined || view === undefined || view.status === 'none') return;
    if (view.grmode !== 'IV') last.mode = view.grmode;
  }

  /** The lines of the debug text `_all` for the resources of the case, on one node. */
  allLines(node: number): string[] {
    const { dlm } = this.#cluster.nodes.get(node)!;
    const lines: string[] = [];
    for (const [symbol, name] of Object.entries(this.#case.names)) {
      const r = dlm.inspect().lockspaces[0]!.resources.find((resource) => resource.name === name);
      if (r?.isActive) lines.push(...this.#resourceLines(symbol, node, r));
    }
    return lines;
  }

  #resourceLines(symbol: string, node: number, r: ResourceView): string[] {
    const nodeid = r.master === node ? 0 : r.master === 0 ? -1 : r.master;
    const lines = [`rsb ${nodeid} ${r.firstLkid.toString(16)} ${r.flags.toString(16)} 0 0 0 ${symbol}`];
    if (r.lvb !== undefined) lines.push(`lvb ${r.lvb.seq} ${this.#case.lvblen} ${hexCut(fromHex(r.lvb.bytes))}`);
    for (const view of [...r.granted, ...r.converting, ...r.waiting]) lines.push(this.#lockLine(node, view));
    return lines;
  }

  #lockLine(node: number, view: LockView): string {
    const [id, remid] = this.#symbols(node, view);
    const grmode = Mode[view.grmode];
    const rqmode = Mode[view.rqmode];
    const status = { waiting: 1, granted: 2, convert: 3, none: 0 }[view.status];
    // Locks of a process carry the flag USER (1).
    const flags = (view.flags | 1).toString(16);
    const head = `lkb ${id} ${view.nodeid} ${remid} ${view.exflags.toString(16)} ${flags} ${status} ${grmode} ${rqmode}`;
    return `${head} ${view.lastBast} 0 ${view.waitType} ${view.lvbseq}`;
  }

  /** What stands for the ids of a lock and of its twin. */
  #symbols(node: number, { isMasterCopy, nodeid, lkid, remid }: LockView): readonly [string, string] {
    const [owner, ownLkid] = isMasterCopy ? [nodeid, remid] : [node, lkid];
    const locks = [...this.#locks.values()];
    const name = locks.find((lock) => lock.node === owner && this.#lkids.get(lock) === ownLkid)?.name;
    if (isMasterCopy) return [`<${name}*>`, `<${name}>`];
    return [`<${name}>`, remid === 0 ? '0' : `<${name}*>`];
  }

  /** The human debug text of one node, with symbols for ids and single blanks, as it was recorded. */
  debugText(node: number): string {
    const [view] = this.#cluster.nodes.get(node)!.dlm.inspect().lockspaces;
    const names = Object.values(this.#case.names);
    const resources = view!.resources.filter(({ name }) => names.includes(name));
    const symbols = new Map<string, string>();
    for (const { granted, converting, waiting, lookup } of resources) {
      for (const lock of [...granted, ...converting, ...waiting, ...lookup]) {
        const [id, remid] = this.#symbols(node, lock);
        symbols.set(idText(lock.lkid), id);
        symbols.set(`${lock.isMasterCopy ? lock.nodeid : 'Master:'} ${idText(lock.remid)}`, remid);
      }
    }
    return debugText({ ...view!, resources })
      .replace(/^Resource [0-9a-f]{16}/gm, 'Resource <ptr>')
      .replace(/ +/g, ' ')
      .replace(/^([0-9a-f]{8}) /gm, (text, id) => `${symbols.get(id) ?? text.trim()} `)
      .replace(/(\d+|Master:) ([0-9a-f]{8})/g, (text, at) => `${at} ${symbols.get(text)}`);
  }

  #views(): Map<Lock, LockView> {
    const views = new Map<Lock, LockView>();
    this.#lkids.clear();
    for (const { id, dlm, isAlive } of this.#cluster.nodes.values()) {
      if (!isAlive) continue;
      for (const { resources } of dlm.inspect().lockspaces) {
        for (const { granted, converting, waiting } of resources) {
          for (const view of [...granted, ...converting, ...waiting]) {
            const lock = [...this.#locks.values()].find(({ handle }) => handle === view.handle);
            if (lock === undefined || lock.node !== id) continue;
            views.set(lock, view);
            this.#lkids.set(lock, view.lkid);
            this.#lastLkid.set(lock, view.lkid);
          }
        }
      }
    }
    return views;
  }
}

function idText(lkid: number): string {
  return lkid.toString(16).padStart(8, '0');
}

/** Blanks at the ends of lines and runs of them were not kept. */
function plainText(text: string): string {
  return text.replace(/ +/g, ' ').replace(/ $/gm, '').trim();
}

function stateOf(view: LockView | undefined): string {
  const mode = (name: string): string => (name === 'IV' ? '--' : name);
  switch (view?.status) {
    case 'granted':
      return `G ${mode(view.grmode)}`;
    case 'convert':
      return `C ${mode(view.grmode)}>${mode(view.rqmode)}`;
    case 'waiting':
      return `W ${view.rqmode}`;
  }
  return '-';
}

function flagsOf(names: readonly string[] = []): number {
  let flags = 0;
  for (const name of names) flags |= name in LockFlag ? LockFlag[name as keyof typeof LockFlag] : Number(name);
  return flags;
}

/** Hex without trailing zero bytes; `00` if nothing is left. */
function hexCut(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return text.replace(/(00)+$/, '') || '00';
}

/**
 * Replays a case with lock managers of ours, in virtual time. Gives where what owners saw, or the final tables of locks,
 * differ from what was recorded, as texts; none if they do not.
 *
 * `isStrict`: with `strictReference`.
 *
 * @throws {RangeError} when a step is of a kind that is not known.
 */
export function differencesOf(recorded: RecordedCase, isStrict: boolean): readonly string[] {
  const replay = new Replay(recorded, isStrict);
  replay.run();
  const differences: string[] = [];
  const unstable = new Set(recorded.unstable ?? []);
  for (const lock of new Set([...replay.lockNames, ...Object.keys(recorded.expect)])) {
    if (unstable.has(`expect.${lock}`)) continue;
    const ours = JSON.stringify(replay.expectOf(lock).map(canonical));
    const theirs = JSON.stringify((recorded.expect[lock] ?? []).map(canonical));
    if (ours !== theirs) differences.push(`expect.${lock}\n  recorded ${theirs}\n  ours     ${ours}`);
  }
  recorded.after.forEach((recorded, i) => {
    if (recorded === null || unstable.has(`after.${i}`)) return;
    const ours = JSON.stringify(sorted(replay.after[i] ?? {}));
    const theirs = JSON.stringify(sorted(recorded));
    if (ours !== theirs) differences.push(`after.${i}\n  recorded ${theirs}\n  ours     ${ours}`);
  });
  for (const [node, lines] of Object.entries(recorded.all ?? {})) {
    if (unstable.has(`all.${node}`)) continue;
    const ours = replay.allLines(Number(node)).join('\n    ');
    if (ours !== lines.join('\n    '))
      differences.push(`all.${node}\n  recorded ${lines.join('\n    ')}\n  ours     ${ours}`);
  }
  for (const [node, text] of Object.entries(recorded.dump ?? {})) {
    if (unstable.has(`dump.${node}`)) continue;
    const ours = plainText(replay.debugText(Number(node)));
    if (ours !== plainText(text)) differences.push(`dump.${node}\n  recorded ${text}\n  ours     ${ours}`);
  }
  return differences;
}

const ORDER = ['step', 'ret', 'ast', 'bast', 'flags', 'mode', 'lvb'] as const;

function canonical(event: object): unknown {
  const fields = event as Record<string, unknown>;
  return Object.fromEntries(ORDER.filter((key) => fields[key] !== undefined).map((key) => [key, fields[key]]));
}

function sorted(record: Readonly<Record<string, string>>): unknown {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
