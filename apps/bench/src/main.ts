import { calibrate } from './calibration.js';
import { measureMemory } from './memory-bench.js';
import { runStory } from './story-bench.js';

/** Bars that a figure is held against; the benchmark prints the ratio and leaves the judgement to the reader. */
function line(name: string, value: number, unit: string, bar: string): void {
  process.stdout.write(`${name.padEnd(44)}${value.toFixed(2).padStart(12)} ${unit.padEnd(26)} ${bar}\n`);
}

function story(): void {
  const before = calibrate();
  line('calibration: heap of 32, pop and push', before, 'M pairs/s', '');
  const cold = runStory(7);
  line('story in the simulator, cold', cold.cpuSeconds, 'CPU s', 'at most 2');
  let warm = cold;
  for (let run = 0; run < 4; run++) {
    const next = runStory(7);
    if (next.cpuSeconds < warm.cpuSeconds || warm === cold) warm = next;
  }
  line('story in the simulator, warm', warm.cpuSeconds, 'CPU s', 'at most 1');
  line('virtual time', warm.virtualSeconds / warm.cpuSeconds, 'virtual s per CPU s', '');
  line('events, full stack, all observers', warm.events / warm.cpuSeconds / 1e6, 'M events/s', 'at least 0.2');
  line(
    'same, per calibration pair',
    (warm.events / warm.cpuSeconds / 1e6 / calibrate()) * 1000,
    'events per 1000 pairs',
    '',
  );
  process.stdout.write(`hash ${warm.hash}, ${warm.events} events in ${warm.virtualSeconds.toFixed(0)} s\n`);
}

async function memory(): Promise<void> {
  const { residentMiB, wallSeconds } = await measureMemory();
  line('quorate story in workers, resident', residentMiB, 'MiB at its highest', 'at most 400');
  line('same, from start to end', wallSeconds, 's of wall time', 'at most 90');
}

const BENCHMARKS: Readonly<Record<string, () => void | Promise<void>>> = { story, memory };

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: found "${unknown}", expected one of ${Object.keys(BENCHMARKS).join(', ')}\n`);
  process.exitCode = 4;
} else {
  process.stdout.write(`node ${process.version}, ${process.platform} ${process.arch}\n`);
  for (const name of names.length === 0 ? Object.keys(BENCHMARKS) : names) {
    process.stdout.write(`\n${name}\n`);
    await BENCHMARKS[name]!();
  }
}
