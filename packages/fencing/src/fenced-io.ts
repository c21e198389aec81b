import type { LogPriority, Nanos } from '@quorate/kernel';
import type { Departure } from './domain-change.js';
import type { FenceConf } from './fence-conf.js';
import type { FenceDaemon } from './fence-daemon.js';
import type { FencedHow, MessageDefect } from './message.js';

/** A ring of totem: its representative and its sequence number. */
export interface RingId {
  readonly representative: number;
  readonly seq: number;
}

export type FencedInput =
  /**
   * The daemon starts: it joins `fenced:daemon`. `wall` is in seconds since 1970. `uncontrolled` are lockspaces and file
   * systems that the kernel still has from before: with any of them the daemon ends, for the node has to be fenced.
   */
  | { readonly kind: 'start'; readonly wall: number; readonly uncontrolled?: readonly string[] }
  /** `fence_tool join`. */
  | { readonly kind: 'join' }
  /** `fence_tool leave`; whether the node may is for the tool to find out. */
  | { readonly kind: 'leave' }
  | {
      readonly kind: 'confchg';
      readonly group: string;
      readonly members: readonly number[];
      readonly joined: readonly number[];
      readonly left: readonly Departure[];
    }
  /** CPG is on that ring now; comes after the ring's `confchg`s, at the latest when a node has gone down. */
  | { readonly kind: 'ring-confchg'; readonly ring: RingId; readonly members: readonly number[] }
  /** A message of a group, our own included. */
  | { readonly kind: 'message'; readonly group: string; readonly from: number; readonly payload: Uint8Array }
  /** What cman says of the cluster. */
  | {
      readonly kind: 'membership';
      readonly members: readonly number[];
      readonly ring: RingId;
      readonly isQuorate: boolean;
      /** Found out here when absent. */
      readonly quorumGained?: boolean;
    }
  | { readonly kind: 'agent-ended'; readonly run: number; readonly status: number }
  /** Answers `find-fence-check`: the process id of a fence_check, or 0. */
  | { readonly kind: 'fence-check'; readonly pid: number }
  /** Somebody fenced that node by hand (`fence_node` tells so). */
  | { readonly kind: 'external'; readonly node: number }
  /** An administrator says that this node is dead (`fence_ack_manual`); heard only while `overrideVictim` is one. */
  | { readonly kind: 'override'; readonly node: number }
  | { readonly kind: 'reconfigure'; readonly conf: FenceConf; readonly daemon: FenceDaemon }
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** cman and CPG are gone: the daemon ends, at the latest with the agent that runs. */
  | { readonly kind: 'cluster-down' }
  /** SIGTERM; heard only outside the domain. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'wake' };

export type FencedOutput =
  | { readonly kind: 'cpg-join'; readonly group: string }
  | { readonly kind: 'cpg-leave'; readonly group: string }
  /** `payload` is lent. */
  | { readonly kind: 'cpg-mcast'; readonly group: string; readonly payload: Uint8Array }
  /** Run that agent with that standard input, without time limit. */
  | { readonly kind: 'run-agent'; readonly run: number; readonly agent: string; readonly input: string }
  /** Does a fence_check run? Asked only with `fenceCheckDelaySec`; answered by `fence-check`, at once or later. */
  | { readonly kind: 'find-fence-check' }
  /** SIGTERM for that process: fencing cannot wait for it any longer. */
  | { readonly kind: 'end-fence-check'; readonly pid: number }
  /** cman should kill that node. */
  | { readonly kind: 'kick'; readonly node: number }
  /** Told to every member: a victim is dealt with. `at` is our own clock when we learnt it; `by` is the master. */
  | {
      readonly kind: 'fenced';
      readonly node: number;
      readonly at: Nanos;
      readonly how: FencedHow;
      readonly by: number;
    }
  /** The victims as they are now, the next one to be fenced first. */
  | { readonly kind: 'victims'; readonly nodes: readonly number[] }
  /** We belong to the domain (the start cycle may go on). */
  | { readonly kind: 'joined' }
  | { readonly kind: 'left' }
  | { readonly kind: 'refused'; readonly reason: 'not-started' | 'exists' | 'not-joined' | 'in-domain' }
  /** The daemon ended. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'reject'; readonly group: string; readonly from: number; readonly reason: RejectReason }
  /** Also in the debug buffer. What is of priority `debug` is for that alone, unless somebody wants all of it. */
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export type RejectReason = MessageDefect | 'wrong-version' | 'wrong-sender' | 'wrong-group';
