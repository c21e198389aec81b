import type { PlockData, PlockRecord } from './plock-message.js';
import { type PlockSync, plockDataOf } from './plock-sync.js';
import type { PlockMessageType, PlockPosition, Plocks } from './plocks.js';

interface Request {
  readonly asked: Omit<PlockRecord, 'nodeid' | 'fsid'>;
  readonly id: number;
}

/** What came while the locks of the others were under way. */
type Saved =
  | { readonly type: PlockMessageType; readonly record: PlockRecord; readonly from: number; readonly at: PlockPosition }
  | { readonly gone: number; readonly at: PlockPosition };

/** A member of a lockspace that starts. */
export interface PlockMember {
  readonly nodeid: number;
  /** HAVEPLOCK in its START. */
  readonly hasPlocks: boolean;
}

/** What this node has to do for others when a lockspace starts: tell them its locks; undefined: nothing. */
export type PlocksToSend = readonly PlockData[] | undefined;

/**
 * How a node that joins a lockspace comes to the posix locks that there are.
 *
 * When the last START of a change has come, the lowest node that has the locks tells them as they are at that point of the order.
 * A newcomer passes over what came before, saves what comes after, and carries that out when it has been told all.
 *
 * Differs from dlm_controld: departures are saved, too; what was told for an earlier change is forgotten; it is told again
 * whenever somebody lacks it; and this node's own requests wait until it has the locks.
 *
 * Source: dlm dlm_controld/cpg.c, `prepare_plocks`, `receive_plocks_done`.
 */
export class PlockGroup {
  readonly plocks: Plocks;
  readonly #me: number;
  readonly #whole: () => void;
  #needs = true;
  #saves = false;
  #saved: Saved[] = [];
  #requests: Request[] = [];
  #received = 0;
  #position = 0;
  #members: readonly number[] = [];

  /** `whole` is called when all that was locked at the last start is here, and nothing of what came after it. */
  constructor(me: number, plocks: Plocks, whole: () => void) {
    this.#me = me;
    this.plocks = plocks;
    this.#whole = whole;
  }

  /** This node lacks the locks of the others (`need_plocks`). */
  get needsPlocks(): boolean {
    return this.#needs;
  }

  /** It keeps what comes until it has them (`save_plocks`). */
  get savesPlocks(): boolean {
    return this.#saves;
  }

  get #at(): PlockPosition {
    return { position: this.#position, members: this.#members };
  }

  request(asked: Request['asked'], id: number): void {
    if (this.#needs) this.#requests.push({ asked, id });
    else this.plocks.request(asked, id);
  }

  /** Who is left, in the newest configuration. */
  confchg(members: readonly number[], removed: readonly number[]): void {
    this.#members = members;
    for (const gone of removed) {
      this.#position += 1;
      const at = this.#at;
      if (this.#saves) this.#saved.push({ gone, at });
      else if (!this.#needs) this.plocks.purge(gone, at);
    }
  }

  receive(type: PlockMessageType, record: PlockRecord, from: number): void {
    this.#position += 1;
    const at = this.#at;
    if (this.#saves) this.#saved.push({ type, record, from, at });
    else if (!this.#needs) this.plocks.receive(type, record, from, at);
  }

  /** The lockspace starts with these members. */
  prepare(members: readonly PlockMember[]): PlocksToSend {
    this.#position = 0;
    const having = members.filter(({ hasPlocks }) => hasPlocks).map(({ nodeid }) => nodeid);
    if (this.#needs) {
      this.#saved = [];
      this.#received = 0;
      this.plocks.clear();
      this.#saves = members.length > 1 && having.length > 0;
      if (!this.#saves) this.#have();
      return undefined;
    }
    this.#whole();
    if (Math.min(...having) !== this.#me || having.length === members.length) return undefined;
    return this.plocks.snapshot().flatMap(plockDataOf);
  }

  /** PLOCKS_DATA. */
  data(data: PlockSync): void {
    if (!this.#saves) return;
    this.#received += 1;
    this.plocks.restore(data);
  }

  /** PLOCKS_DONE for the change that was started here. Returns a complaint. */
  done(count: number): string | undefined {
    if (!this.#saves) return undefined;
    const received = this.#received;
    this.#have();
    return received === count ? undefined : `receive_plocks_done plocks_data ${count} recv ${received}`;
  }

  #have(): void {
    const saved = this.#saved;
    const requests = this.#requests;
    this.#saved = [];
    this.#requests = [];
    this.#needs = false;
    this.#saves = false;
    this.#whole();
    for (const item of saved) {
      if ('gone' in item) this.plocks.purge(item.gone, item.at);
      else this.plocks.receive(item.type, item.record, item.from, item.at);
    }
    for (const { asked, id } of requests) this.plocks.request(asked, id);
  }
}
