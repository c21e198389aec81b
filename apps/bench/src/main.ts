import { tuneForShortRuns } from '@quorate/simulator/node';
import { runAllocBench } from './alloc-bench.js';
import { runDiskBench } from './disk.js';
import { runFailoverBench } from './failover-bench.js';
import { runLocksBench } from './locks-bench.js';
import { runPlantedBugs } from './planted-bugs/run-planted-bugs.js';
import { runBench } from './run-bench.js';
import { runTotemChaos } from './totem-chaos.js';
import { runTotemSoak } from './totem-soak.js';

const [name, ...rest] = process.argv.slice(2);
if (name === 'disk') {
  process.exitCode = await runDiskBench(rest, process);
} else if (name === 'alloc') {
  process.exitCode = await runAllocBench(process);
} else if (name === 'locks') {
  process.exitCode = await runLocksBench(process);
} else if (name === 'failover') {
  tuneForShortRuns();
  process.exitCode = runFailoverBench(rest, process);
} else if (name === 'totem-chaos') {
  tuneForShortRuns();
  process.exitCode = runTotemChaos(rest, process);
} else if (name === 'totem-soak') {
  process.exitCode = await runTotemSoak(rest, process);
} else {
  tuneForShortRuns();
  process.exitCode =
    name === 'planted-bugs' ? await runPlantedBugs(rest, process) : await runBench(process.argv.slice(2), process);
}
