// Random deaths, boots, splits and failing agents in a cluster of five, all drawn from one seed. What must hold is checked by
// the package's invariants.
import { Checker, type Nanos, Prng, SECOND } from '@quorate/kernel';
import { type FenceConf, invariants } from '../src/index.js';
import { GroupBus } from './group-bus.js';

const NODES = [1, 2, 3, 4, 5];
const STEPS = 40;

const CONF: FenceConf = {
  nodes: NODES.map((nodeId) => ({
    nodeId,
    name: `my-vm${nodeId}`,
    fenceMethods: [{ name: 'scsi', devices: [{ name: 'pr', arguments: new Map() }] }],
    unfenceDevices: [],
  })),
  devices: [{ name: 'pr', agent: 'fence_scsi', arguments: new Map([['agent', 'fence_scsi']]) }],
};

/** One storm, and what the rules say of it. */
export function storm(seed: number): { readonly checker: Checker; readonly now: Nanos } {
  const prng = Prng.derive({ hi: 0, lo: seed }, 'fence storm');
  const bus = new GroupBus({ nodes: NODES, conf: CONF, config: { daemon: { postFailDelaySec: prng.below(4) } } });
  const alive = new Set<number>();
  let isWhole = true;
  const boot = (node: number): void => {
    if (alive.has(node) || !isWhole) return;
    alive.add(node);
    bus.boot(node);
    bus.input(node, { kind: 'join' });
  };
  const kill = (node: number): void => {
    if (alive.delete(node)) bus.kill(node);
  };
  const heal = (): void => {
    if (!isWhole) bus.merge();
    isWhole = true;
  };
  let seen = 0;
  const run = (duration: Nanos): void => {
    for (const end = bus.now + duration; bus.now < end; ) {
      bus.run(Math.min(end, bus.now + SECOND));
      // What cman does for a fenced that asks for it.
      for (const { text } of bus.events.slice(seen)) if (text.startsWith('=> kick ')) kill(Number(text.slice(8)));
      seen = bus.events.length;
    }
  };
  for (const node of NODES) boot(node);
  run(10 * SECOND);
  for (let step = 0; step < STEPS; step++) {
    const node = 1 + prng.below(NODES.length);
    switch (prng.below(8)) {
      case 0:
      case 1:
        kill(node);
        break;
      case 2:
      case 3:
        boot(node);
        break;
      case 4: {
        const few = [...alive].filter(() => prng.below(3) === 0);
        const others = [...alive].filter((each) => !few.includes(each));
        if (!isWhole || few.length === 0 || others.length === 0) break;
        isWhole = false;
        bus.split(few, others);
        break;
      }
      case 5:
        heal();
        break;
      default: {
        // Agents that fail for a while, or take their time.
        const [takes, status] = [prng.below(8) * SECOND, prng.below(3) === 0 ? 1 : 0];
        bus.agent = () => ({ takes, status });
      }
    }
    run(prng.below(6) * SECOND);
  }
  bus.agent = () => ({ takes: SECOND, status: 0 });
  heal();
  run(60 * SECOND);
  const checker = new Checker(invariants);
  for (const fact of bus.facts) checker.observe(fact);
  checker.end(bus.now);
  return { checker, now: bus.now };
}
