import { cpus, loadavg } from 'node:os';
import { calibrate } from './calibration.js';
import { decisionFigures } from './failover/decisions.js';
import { EXPECTED } from './failover/expected.js';
import { PROFILES } from './failover/profiles.js';
import { serviceOutages } from './failover/services.js';
import { storyOutages } from './failover/story.js';
import { type Expected, expectedOf, type Outage, tableOf } from './failover/table.js';
import { figureLine } from './figures.js';
import type { BenchIo } from './run-bench.js';

const SERVICE_COUNTS = [1, 10, 100, 1000];

/**
 * For how long services are away, by what is waited for, in virtual time: each figure beside what it was when it was last looked at.
 *
 * Exit code 1 only when a run does not hold; a figure fails nobody. `isRecording` prints the table of what is expected anew.
 */
export function runFailoverBench(isRecording: boolean, { stdout, stderr }: BenchIo): number {
  const recorded: Record<string, Expected> = {};
  let differing = 0;
  const print = (title: string, settings: string, outages: readonly Outage[]): void => {
    const table = tableOf(outages, EXPECTED[title] ?? {});
    differing += table.differing;
    recorded[title] = expectedOf(outages);
    stdout.write(`\n${title}: ${settings}\n${table.lines.join('\n')}\n`);
  };
  try {
    stdout.write(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);
    stdout.write('seconds of virtual time, in brackets what is expected\n');
    for (const profile of PROFILES) {
      const { outages, recoveries } = storyOutages(profile);
      print(
        `story, ${profile.name} timers`,
        `${profile.settings}; a browser that asks every second, mean of five seeds`,
        outages,
      );
      print(`recovery in it, ${profile.name} timers`, 'from the loss of a machine on, services aside', recoveries);
    }
    for (const { name, withoutDisk } of PROFILES) {
      const settings = `${withoutDisk.settings}; an address and an init script each, the node that all are on loses its power`;
      const outages = SERVICE_COUNTS.flatMap((services) => serviceOutages(services, withoutDisk.totem));
      print(`services on five nodes, ${name} timers`, settings, outages);
    }
    stdout.write(
      differing === 0 ? '\nall figures are as expected\n' : `\n${differing} figures differ from what is expected (!)\n`,
    );
    stdout.write(
      `\nwhat-if: processor time beside crm_simulate's mean for one input, best runs, load ${loadavg()[0]!.toFixed(1)}\n`,
    );
    const calibration = { name: 'heap of 32 events, pop and push', value: calibrate(), unit: 'M pairs per wall s' };
    for (const figure of [calibration, ...decisionFigures()]) stdout.write(`${figureLine(figure)}\n`);
    if (isRecording) stdout.write(`\n${recordedText(recorded)}\n`);
    return 0;
  } catch (error) {
    stderr.write(`bench: failover: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

/** The table of `expected.ts`. */
function recordedText(recorded: Readonly<Record<string, Expected>>): string {
  return Object.entries(recorded)
    .map(([title, rows]) => {
      const lines = Object.entries(rows).map(([name, figures]) => `    '${name}': [${figures.join(', ')}],\n`);
      return `  '${title}': {\n${lines.join('')}  },\n`;
    })
    .join('');
}
