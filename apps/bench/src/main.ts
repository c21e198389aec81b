import { tuneForShortRuns } from '@quorate/simulator/node';
import { runPlantedBugs } from './planted-bugs/run-planted-bugs.js';
import { runBench } from './run-bench.js';

tuneForShortRuns();
const [name, ...rest] = process.argv.slice(2);
process.exitCode =
  name === 'planted-bugs' ? await runPlantedBugs(rest, process) : await runBench(process.argv.slice(2), process);
