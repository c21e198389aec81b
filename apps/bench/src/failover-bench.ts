import { EXPECTED } from './failover/expected.js';
import { PROFILES } from './failover/profiles.js';
import { storyOutages } from './failover/story.js';
import { type Expected, expectedOf, type Outage, tableOf } from './failover/table.js';
import type { BenchIo } from './run-bench.js';

/**
 * For how long services are away, by what is waited for, in virtual time: each figure beside what it was when it was last looked at.
 *
 * Exit code 1 only when a run does not hold; a figure fails nobody. `--record` prints the table of what is expected anew.
 */
export function runFailoverBench(options: readonly string[], { stdout, stderr }: BenchIo): number {
  const recorded: Record<string, Expected> = {};
  let differing = 0;
  const print = (title: string, settings: string, outages: readonly Outage[]): void => {
    const table = tableOf(outages, EXPECTED[title] ?? {});
    differing += table.differing;
    recorded[title] = expectedOf(outages);
    stdout.write(`\n${title}: ${settings}\n${table.lines.join('\n')}\n`);
  };
  try {
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
    stdout.write(
      differing === 0 ? '\nall figures are as expected\n' : `\n${differing} figures differ from what is expected (!)\n`,
    );
    if (options.includes('--record')) stdout.write(`\n${recordedText(recorded)}\n`);
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
