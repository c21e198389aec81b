import { parseClusterConf } from '@quorate/cluster-conf';
import { ConfigError, type Stamped, type Task } from '@quorate/kernel';
import { clusterIdOf } from '@quorate/quorum';
import type { Lab, Scenario } from '../../lab.js';
import type { Topology } from '../../topology.js';
import { Chronicle, KINDS } from './chronicle.js';
import { type Cast, Story } from './script.js';
import type { StoryResult } from './story.js';
import { checkVolume } from './volume-check.js';

export { CLUSTER_CONF } from './cluster-conf.js';
export { formatDisks, VOLUME } from './disks.js';
export { type Reference, STEP_IDS, STEP_TITLES, type StepId, type StoryResult, type StoryStep } from './story.js';
export { FLOATING_ADDRESS, freshHypervBlogTopology, hypervBlogTopology } from './topology.js';

export interface HypervBlogOptions {
  /** Whether the cluster stays as the last step leaves it; unless told, everything is shut down in order after it. */
  readonly isLeftRunning?: boolean;
}

/** The walk-through of the Hyper-V blog, parts 2 and 3: boot, pause, eth0 down, shut down, power off, fail back. */
export class HypervBlog implements Scenario<StoryResult> {
  readonly name = 'hyperv-blog';
  readonly title = 'Setting up Linux operating system clusters on Hyper-V';
  readonly kinds: readonly string[] = KINDS;
  readonly #chronicle = new Chronicle();
  readonly #cast: Cast;
  readonly #isLeftRunning: boolean;

  /** @throws {ConfigError} when the topology's machines have no cluster.conf. */
  constructor(topology: Topology, { isLeftRunning = false }: HypervBlogOptions = {}) {
    this.#isLeftRunning = isLeftRunning;
    if (topology.clusterConf === undefined)
      throw new ConfigError('clusterConf', 'undefined', 'the text of a cluster.conf');
    const { conf } = parseClusterConf(topology.clusterConf);
    const clusterId = conf.cman.clusterId ?? clusterIdOf(conf.name, conf.cman.isClusterIdHashed);
    const keys = topology.machines.map(({ id }) => {
      const digits = clusterId.toString(16).padStart(4, '0') + id.toString(16).padStart(4, '0');
      return `0x${digits.replace(/^0+/, '')}`;
    });
    this.#cast = { clusterName: conf.name, keys, wallSec: topology.wall.sec };
  }

  script(lab: Lab): Task<StoryResult> {
    return new Story(lab, this.#cast, this.#chronicle, this.#isLeftRunning).run();
  }

  onFact(fact: Stamped): void {
    this.#chronicle.hear(fact);
  }

  readonly atEnd: typeof checkVolume = checkVolume;
}
