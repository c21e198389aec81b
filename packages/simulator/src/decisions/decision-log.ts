/** One outcome of the world that was not the tame one. */
export interface Decision {
  /** Which question of its stream this was, from 0; tame outcomes are counted too. */
  readonly counter: number;
  /** Name of the question: `loss`, `latency`, `start`. */
  readonly kind: string;
  /** Number of outcomes; 0 where there is no bound (an exponential delay). */
  readonly n: number;
  /** Never 0. */
  readonly value: number;
}

/** Where a decision stands in a log. */
export interface DecisionPlace {
  readonly stream: string;
  readonly counter: number;
}

/** What a log was made of: enough to run it again. */
export interface LogOrigin {
  readonly scenario: string;
  /** 16 hex digits. */
  readonly seed: string;
  /** Options of the scenario, by name. */
  readonly options: Readonly<Record<string, string>>;
  /** Commit of the code, where it is known. */
  readonly commit: string | null;
  /** Areas (`net`, `disk`) whose streams are drawn from the seed, and of which the log has nothing. */
  readonly seeded: readonly string[];
}

/** The first part of a stream's name: `net`, `disk`, `fabric`, `nemesis`, `workload`. */
export function areaOf(stream: string): string {
  const end = stream.indexOf('/');
  return end < 0 ? stream : stream.slice(0, end);
}

/**
 * All outcomes of a run that were not tame, by the stream that they came from; each stream in the order of its counter.
 *
 * What is not in it is tame. So a log without an entry is a simpler run, and the empty log is the run in which nothing goes
 * wrong. Entries know themselves by (stream, counter): a change that adds questions to one stream moves no entry of another.
 */
export type DecisionLog = ReadonlyMap<string, readonly Decision[]>;

export function decisionCount(log: DecisionLog): number {
  let count = 0;
  for (const decisions of log.values()) count += decisions.length;
  return count;
}

/** The log with those decisions only that are accepted; streams without any are left out. */
export function filterLog(log: DecisionLog, accepts: (stream: string, decision: Decision) => boolean): DecisionLog {
  const kept = new Map<string, readonly Decision[]>();
  for (const [stream, decisions] of log) {
    const rest = decisions.filter((decision) => accepts(stream, decision));
    if (rest.length > 0) kept.set(stream, rest);
  }
  return kept;
}
