import { SECOND, type Stamped, type Task } from '@quorate/kernel';
import { Expectations } from '../../expectations.js';
import type { AnyFact, Lab, Observed, Scenario } from '../../lab.js';
import { Chronicle, KINDS } from '../hyperv-blog/chronicle.js';
import { QuorumWatch } from './quorum-watch.js';

/** One way in which the walk-through's cluster falls apart, and what is to come of it. */
export interface PartitionCase {
  readonly name: string;
  readonly title: string;
  /** What comes of it, in a sentence or two. */
  readonly outcome: string;
  /** The walk-through's file with the changes that the case is about. */
  readonly clusterConf: string;
  /** What happens, and what is expected of it. */
  script(stage: PartitionStage): Task;
}

/** What the script of a case has at hand. */
export interface PartitionStage {
  readonly lab: Lab;
  readonly expectations: Expectations;
  /** Facts since the machines have booted. */
  readonly chronicle: Chronicle;
  readonly watch: QuorumWatch;
}

/** What the scenario found; `ok` only if everything that was expected was observed. */
export interface PartitionResult {
  readonly ok: boolean;
  readonly failures: readonly { readonly step: string; readonly observed: Observed }[];
}

const STEPS = ['boot', 'fall-apart'] as const;

/** Boots the walk-through's cluster and lets one case happen to it. */
export class PartitionScenario implements Scenario<PartitionResult> {
  readonly name: string;
  readonly title: string;
  readonly kinds: readonly string[] = [...KINDS, 'quorum.changed', 'qdisk.master', 'qdisk.state'];
  readonly #case: PartitionCase;
  readonly #chronicle = new Chronicle();
  readonly #watch = new QuorumWatch();

  constructor(partition: PartitionCase) {
    this.name = partition.name;
    this.title = partition.title;
    this.#case = partition;
  }

  *script(lab: Lab): Task<PartitionResult> {
    const chronicle = this.#chronicle;
    const expectations = new Expectations(lab);
    const failures: { step: string; observed: Observed }[] = [];
    const titles = { boot: 'all five nodes boot and serve the page', 'fall-apart': this.title };
    const begin = (id: (typeof STEPS)[number]): void => {
      expectations.begin(id);
      chronicle.begin(lab.now());
      lab.progress({ kind: 'step-began', id, title: titles[id], number: STEPS.indexOf(id) + 1, of: STEPS.length });
    };
    const end = (id: (typeof STEPS)[number]): void => {
      for (const observed of expectations.observed) if (!observed.isTrue) failures.push({ step: id, observed });
      lab.progress({ kind: 'step-ended', id });
    };

    begin('boot');
    lab.powerOn(...lab.machines);
    const isServed = (): boolean => chronicle.of('client.request').at(-1)?.isAnswered === true;
    yield* expectations.within(180, 'the page is served', isServed);
    yield* lab.wait(30 * SECOND);
    yield* this.#letFirstBeMaster(lab, expectations);
    end('boot');

    begin('fall-apart');
    yield* this.#case.script({ lab, expectations, chronicle, watch: this.#watch });
    end('fall-apart');
    return { ok: failures.length === 0, failures };
  }

  /** Whoever was quickest at boot is master of the quorum disk; when that one's qdiskd ends, the lowest id follows. */
  *#letFirstBeMaster(lab: Lab, expectations: Expectations): Task {
    const masterNow = (): unknown => this.#chronicle.of('qdisk.master').at(-1)?.master;
    const master = masterNow();
    if (master !== 1) {
      yield* lab.exec(`my-vm${master}`, 'killall qdiskd');
      yield* expectations.waitUntil(20, () => masterNow() === 1);
      yield* lab.exec(`my-vm${master}`, 'qdiskd');
      yield* lab.wait(20 * SECOND);
    }
    expectations.expect('my-vm1 is the master of the quorum disk', masterNow() === 1, `${masterNow()}`);
  }

  onFact(fact: Stamped): void {
    this.#chronicle.hear(fact as AnyFact);
    this.#watch.hear(fact as AnyFact);
  }
}
