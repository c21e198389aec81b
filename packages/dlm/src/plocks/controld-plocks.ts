import type { Nanos } from '@quorate/kernel';
import type { ControldConfig, ControldOutput, PlockInput } from '../controld-io.js';
import { type ControldMessage, ControldType, StartFlag } from '../controld-message.js';
import type { ControldSender } from '../controld-sender.js';
import { type ControlledLockspace, historyOf } from '../controlled-lockspace.js';
import { type Change, matchChange } from '../lockspace-change.js';
import { PlockGroup } from './plock-group.js';
import { PlockIntake } from './plock-intake.js';
import { Plocks } from './plocks.js';

/**
 * Posix locks of all lockspaces of a daemon: requests of processes come in, messages of their groups go out.
 *
 * Source: dlm dlm_controld/plock.c, and cpg.c where newcomers are told.
 */
export class ControldPlocks {
  readonly #config: ControldConfig;
  readonly #me: number;
  readonly #isEnabled: boolean;
  readonly #sender: ControldSender;
  readonly #emit: (output: ControldOutput) => void;
  readonly #intake: PlockIntake<PlockInput>;
  #now: Nanos = 0;

  constructor(config: ControldConfig, sender: ControldSender, emit: (output: ControldOutput) => void) {
    const { isEnabled = true, rateLimit = 0 } = config.plock ?? {};
    this.#config = config;
    this.#me = config.nodeId;
    this.#isEnabled = isEnabled;
    this.#sender = sender;
    this.#emit = emit;
    this.#intake = new PlockIntake(rateLimit);
  }

  /** When more requests may be read; Infinity when none wait for that. */
  get deadline(): Nanos {
    return this.#intake.deadline;
  }

  /** A step of the daemon begins. */
  at(now: Nanos, lockspaces: Iterable<ControlledLockspace>): void {
    this.#now = now;
    for (const ls of lockspaces) ls.plockGroup.plocks.at(now);
  }

  newGroup(ls: Pick<ControlledLockspace, 'name' | 'globalId' | 'group'>): PlockGroup {
    const { plock = {}, observe } = this.#config;
    const { name: lockspace, globalId } = ls;
    const plocks = new Plocks(this.#me, globalId, plock, {
      multicast: (type, record) => this.#sender.plock(ls, type, record),
      result: (id, result) => this.#emit({ kind: 'plock-result', lockspace, id, result }),
      log: (text) => this.#log('debug', `${lockspace} ${text}`),
      taken: ({ position, members }, number) => {
        if (observe === undefined) return;
        const [owner, digest] = [plocks.ownerOf(number), plocks.digestOf(number)];
        const where = { position, members, inode: Number(number) };
        observe({ kind: 'dlm.plock-taken', now: this.#now, lockspace, ...where, owner, digest });
      },
    });
    return new PlockGroup(this.#me, plocks.at(this.#now), () => {
      observe?.({ kind: 'dlm.plocks-whole', now: this.#now, lockspace, digest: plocks.digest() });
    });
  }

  /** A process asks; it is read when its turn comes. */
  add(request: PlockInput): void {
    this.#intake.add(request);
  }

  /** Hands what processes have asked for to their lockspaces, as fast as the limit of their rate allows. */
  read(lockspaceOf: (name: string) => ControlledLockspace | undefined): void {
    for (let next = this.#intake.next(this.#now); next !== undefined; next = this.#intake.next(this.#now)) {
      const { kind: _, lockspace, id, ...asked } = next;
      const ls = lockspaceOf(lockspace);
      if (this.#isEnabled && ls !== undefined) ls.plockGroup.request(asked, id);
      else if (!asked.isClose) {
        this.#emit({ kind: 'plock-result', lockspace, id, result: this.#isEnabled ? 'EEXIST' : 'ENOSYS' });
      }
    }
  }

  /** The last START has come: newcomers are told the locks as they are now (`prepare_plocks`). */
  prepare(ls: ControlledLockspace, change: Change): void {
    if (!this.#isEnabled) return;
    const bodies = ls.plockGroup.prepare(change.members);
    if (bodies === undefined) return;
    for (const data of bodies) this.#sender.plocksData(ls, change, data);
    this.#sender.change(ls, change, ControldType.PLOCKS_DONE, StartFlag.HAVEPLOCK, bodies.length);
  }

  /** Heeded if it is about the change that was started here (`receive_plocks_done`). */
  receiveDone(
    ls: ControlledLockspace,
    from: number,
    { header, info }: ControldMessage & { kind: 'plocks-done' },
  ): void {
    if (ls.started === undefined || !matchChange(ls.started, from, info, this.#me, historyOf(ls, from))) return;
    const complaint = ls.plockGroup.done(header.msgdata2 ?? 0);
    if (complaint !== undefined) this.#log('err', `${ls.name} ${complaint}`);
  }

  #log(priority: 'debug' | 'err', text: string): void {
    this.#emit({ kind: 'log', priority, text });
  }
}
