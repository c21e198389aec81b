import { tuneForShortRuns } from '@quorate/simulator/node';
import { runBench } from './run-bench.js';

tuneForShortRuns();
process.exitCode = await runBench(process.argv.slice(2), process);
