import type { Nanos } from '@quorate/kernel';

/** What the events of a run are, by the numbers of their records in `KINDS`. */
export const EventKind = { receive: 9, timer: 17, arrive: 20, done: 22 } as const;

/** Hears of every event, frame and command of a run as it happens. Bytes are lent; nothing it does may change the run. */
export interface EventTap {
  /**
   * An event begins: number `seq`, at that node, of an `EventKind`. `a` and `b` are what the ring keeps of it;
   * `bytes` what arrives with it, `sense` the sense data of a command's end.
   */
  event(
    now: Nanos,
    seq: number,
    kind: number,
    node: number,
    a: number,
    b: number,
    bytes: Uint8Array,
    sense: Uint8Array,
  ): void;
  /** A network card puts a frame on the wire; facts about its copies follow. */
  sends(frame: Uint8Array): void;
  /** A machine hands a command to its way to the disks. */
  submits(now: Nanos, node: number, lun: number, tag: number, cdb: Uint8Array): void;
}

/** One tap for those of the given that are there, told in their order; undefined when none is. */
export function joinTaps(...taps: readonly (EventTap | undefined)[]): EventTap | undefined {
  const present = taps.filter((tap) => tap !== undefined);
  if (present.length < 2) return present[0];
  return {
    event: (...event) => {
      for (const tap of present) tap.event(...event);
    },
    sends: (frame) => {
      for (const tap of present) tap.sends(frame);
    },
    submits: (...command) => {
      for (const tap of present) tap.submits(...command);
    },
  };
}
