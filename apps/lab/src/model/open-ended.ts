import type { Stamped, Task } from '@quorate/kernel';
import { FreeRun, HypervBlog, type Lab, type Scenario, type StoryResult, type Topology } from '@quorate/lab';

/** What a user of the page starts. */
export type RunMode = 'story' | 'free';

/** The walk-through, after which the cluster stays and its user may go on. */
class StoryAndFreeRun implements Scenario {
  readonly name: string;
  readonly title: string;
  readonly kinds: readonly string[];
  readonly #story: HypervBlog;
  readonly #onResult: (result: StoryResult) => void;
  #hasEnded = false;

  constructor(topology: Topology, onResult: (result: StoryResult) => void) {
    this.#story = new HypervBlog(topology, { isLeftRunning: true });
    this.#onResult = onResult;
    const { name, title, kinds } = this.#story;
    this.name = name;
    this.title = title;
    this.kinds = kinds;
  }

  *script(lab: Lab): Task {
    const result = yield* this.#story.script(lab);
    // What it heard since its last step would only grow.
    this.#hasEnded = true;
    this.#onResult(result);
    yield* lab.wait(Infinity);
  }

  onFact(fact: Stamped): void {
    if (!this.#hasEnded) this.#story.onFact(fact);
  }
}

/** A scenario that ends only when its user ends it. */
export function openEnded(mode: RunMode, topology: Topology, onResult: (result: StoryResult) => void): Scenario {
  return mode === 'story' ? new StoryAndFreeRun(topology, onResult) : new FreeRun();
}
