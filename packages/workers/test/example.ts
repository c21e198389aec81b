import { SECOND } from '@quorate/kernel';
import { hypervBlogTopology, type Scenario } from '@quorate/lab';
import { inProcessWorker, WorkersLab } from '@quorate/workers';

const buildTopology = () => hypervBlogTopology(new Map());
const scenario: Scenario<string> = {
  name: 'ping',
  title: 'a machine boots and pings the gateway',
  kinds: [],
  *script(lab) {
    lab.powerOn('my-vm1');
    yield* lab.wait(35 * SECOND);
    return (yield* lab.exec('my-vm1', 'ping -c3 10.156.76.1'))?.output ?? 'my-vm1 is down';
  },
};
const { reason, result } = await new WorkersLab({
  scenario,
  topologyName: 'hyperv-blog',
  topology: buildTopology(),
  seed: { hi: 0, lo: 1 },
  speed: 20,
  invariants: [],
  spawn: () => inProcessWorker({ 'hyperv-blog': buildTopology }),
}).run();
export const log = [`${reason}: ${/\d+ packets.*loss/.exec(String(result))?.[0]}`];
