import type { DlmHost } from '@quorate/dlm/client';
import type { MessagePortLike } from '@quorate/dlm/ports';

/** The instants that one remote acquire goes through, in its order, and what has been done when each of them comes. */
export const PHASES = [
  { thread: 'owner', at: 'encoded', name: 'encode', does: 'call, lock, REQUEST' },
  { thread: 'owner', at: 'posted', name: 'gather', does: 'until the promise jobs at hand are done, and copy' },
  { thread: 'master', at: 'arrived', name: 'hop', does: 'post, wake the thread' },
  { thread: 'master', at: 'encoded', name: 'queue, grant', does: 'decode, find the resource, grant, REQUEST_REPLY' },
  { thread: 'master', at: 'posted', name: 'gather', does: 'the same on the way back' },
  { thread: 'owner', at: 'arrived', name: 'hop', does: 'post, wake the thread' },
  { thread: 'owner', at: 'called back', name: 'callback', does: 'decode, settle the promise' },
] as const;

export type PhaseInstant = 'called' | (typeof PHASES)[number]['at'];

/** Instants of one thread, in microseconds of the process's clock; `hrtime` is the same in all threads. */
export class PhaseLog {
  readonly instants: { readonly at: PhaseInstant; readonly micros: number }[] = [];

  note(at: PhaseInstant): void {
    this.instants.push({ at, micros: Number(process.hrtime.bigint()) / 1000 });
  }

  /** A port that notes when it sends and hears. */
  port(port: MessagePortLike): MessagePortLike {
    return {
      postMessage: (message) => {
        this.note('posted');
        port.postMessage(message);
      },
      addEventListener: (type, listener) =>
        port.addEventListener(type, (event) => {
          this.note('arrived');
          listener(event);
        }),
      start: () => port.start(),
    };
  }

  /** A host that notes when it is given a packet. */
  host(host: DlmHost): DlmHost {
    return {
      now: () => host.now(),
      send: (to, bytes) => {
        this.note('encoded');
        host.send(to, bytes);
      },
      wakeAt: (at) => host.wakeAt(at),
    };
  }
}

/** Microseconds that each phase took, in each acquire of the owner. */
export function phaseTimes(owner: PhaseLog['instants'], master: PhaseLog['instants']): readonly Float64Array[] {
  const times = PHASES.map(() => [] as number[]);
  const all = [
    ...owner.map((one) => ({ ...one, thread: 'owner' })),
    ...master.map((one) => ({ ...one, thread: 'master' })),
  ];
  all.sort((a, b) => a.micros - b.micros);
  for (let i = 0; i + PHASES.length < all.length; i++) {
    if (all[i]!.at !== 'called') continue;
    const isWhole = PHASES.every(({ thread, at }, k) => all[i + k + 1]!.thread === thread && all[i + k + 1]!.at === at);
    if (!isWhole) continue;
    for (const k of PHASES.keys()) times[k]!.push(all[i + k + 1]!.micros - all[i + k]!.micros);
  }
  return times.map((some) => Float64Array.from(some).sort());
}
