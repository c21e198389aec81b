import type { Nanos, Stamped } from '@quorate/kernel';
import { ClusterPicture, type LogLine, type Progress, type RunWatcher } from '@quorate/lab';
import { AllDaemons } from './daemons.js';
import { Events } from './events.js';
import { Journal } from './journal.js';
import { Outages } from './outages.js';
import { Recoveries } from './recoveries.js';
import { SharedDisk } from './shared-disk.js';
import { StorySteps } from './story-steps.js';

/** LUN of the disk that has the shared file system. */
const SHARED_LUN = 0;

/** Everything that the page shows of a run, put together from its facts. */
export class RunPicture implements RunWatcher {
  readonly cluster: ClusterPicture;
  readonly daemons = new AllDaemons();
  readonly disk = new SharedDisk(SHARED_LUN);
  readonly outages = new Outages();
  readonly recoveries = new Recoveries();
  readonly steps = new StorySteps();
  readonly journal: Journal;
  readonly #events: Events;
  readonly #onChange: () => void;
  lostSlices = 0;
  readonly #wanted: ReadonlySet<string>;

  /** `names` in the order of the node ids; `onChange` is called after each change. */
  constructor(names: readonly string[], onChange: () => void) {
    this.#onChange = onChange;
    this.cluster = new ClusterPicture(names);
    this.journal = new Journal(names);
    this.#events = new Events(names, (event) => this.journal.add({ ...event, kind: 'event' }));
    this.#wanted = new Set([
      ...this.cluster.kinds,
      ...AllDaemons.KINDS,
      ...SharedDisk.KINDS,
      ...Outages.KINDS,
      ...Recoveries.KINDS,
      ...Events.KINDS,
    ]);
  }

  /** Kinds of facts that it is made of. */
  get kinds(): readonly string[] {
    return [...this.#wanted];
  }

  /** A watcher is told what the invariants hear, too. */
  readonly fact = (fact: Stamped): void => {
    if (!this.#wanted.has(fact.kind)) return;
    this.cluster.hear(fact);
    this.daemons.hear(fact);
    this.disk.hear(fact);
    this.outages.hear(fact);
    this.recoveries.hear(fact);
    this.#events.hear(fact);
    this.#onChange();
  };

  readonly log = (line: LogLine): void => {
    this.journal.log(line);
    this.#onChange();
  };

  readonly progress = (at: Nanos, progress: Progress): void => {
    this.steps.progress(at, progress);
    this.#onChange();
  };

  readonly lost = (slices: number): void => {
    this.lostSlices = slices;
    this.#onChange();
  };
}
