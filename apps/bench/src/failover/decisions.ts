import { parseXml } from '@quorate/cluster-conf';
import { simulate, type WhatIfEvent } from '@quorate/rgmanager/what-if';
import type { Figure } from '../figures.js';
import { servicesConf } from './services-conf.js';

/** Mean of crm_simulate 2.1.5 for one input of its own corpus of 799, on two shared processors. */
const CRM_SIMULATE_MS = 1.9;

const BATCHES = 4;
/** Processor time of a batch: enough for compiler threads not to count. */
const BATCH_MS = 250;

/** What `simulate` takes to say what follows from the loss of the node that all services are on, for S services on N nodes. */
export function decisionFigures(): readonly Figure[] {
  return [
    [1, 3],
    [1, 5],
    [10, 5],
    [100, 5],
    [1, 16],
    [100, 16],
  ].flatMap(([services, nodes]) => figuresOf(services!, nodes!));
}

function figuresOf(services: number, nodes: number): readonly Figure[] {
  const { root } = parseXml(servicesConf({ nodes, services, totem: 'token="10000"' }), 'cluster.conf');
  const lost: readonly WhatIfEvent[] = [{ kind: 'node-down', node: 1 }];
  const plan = simulate(root, lost).at(-1)!;
  const wrong = plan.services.find((service) => service.owner !== 2);
  if (wrong !== undefined) throw new Error(`${wrong.name} is on node ${wrong.owner}, expected 2`);
  const [whole, started] = [leastMs(() => simulate(root, lost)), leastMs(() => simulate(root, []))];
  const name = `${services} ${services === 1 ? 'service' : 'services'} on ${nodes} nodes`;
  const ms = whole - started;
  return [
    {
      name: `${name}, the loss`,
      value: ms,
      unit: 'CPU ms',
      ...(services === 1 && { bar: { atMost: CRM_SIMULATE_MS } }),
    },
    { name: `${name}, decisions`, value: 1000 / ms, unit: 'per CPU s' },
    { name: `${name}, and all nodes up before it`, value: whole, unit: 'CPU ms' },
  ];
}

/** Processor time of a run: the least of a few batches. */
function leastMs(run: () => unknown): number {
  let least = Infinity;
  for (let batch = 0; batch < BATCHES; batch++) {
    const before = process.cpuUsage();
    let [runs, usedMs] = [0, 0];
    for (; usedMs < BATCH_MS; runs++) {
      run();
      const { user, system } = process.cpuUsage(before);
      usedMs = (user + system) / 1e3;
    }
    least = Math.min(least, usedMs / runs);
  }
  return least;
}
