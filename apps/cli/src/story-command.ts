import { writeFileSync } from 'node:fs';
import { stackInvariants } from '@quorate/lab';
import { Command, Option } from 'commander';
import { clusterConfOf, seedOf, speedOf } from './options.js';
import { isOk, recordOf } from './run-record.js';
import { simulateStory } from './simulated-story.js';
import { reportOf } from './story-report.js';
import { Exit, UsageError } from './usage-error.js';
import { LiveView } from './views/live-view.js';
import { PlainView } from './views/plain-view.js';
import type { View } from './views/view.js';
import { writeVolumeImage } from './volume-image.js';
import { workStory } from './worked-story.js';

interface StoryOptions {
  readonly driver: 'workers' | 'simulator';
  readonly seed: string;
  readonly speed: string;
  readonly conf?: string;
  readonly json?: string;
  readonly image?: string;
}

const MACHINES = ['my-vm1', 'my-vm2', 'my-vm3', 'my-vm4', 'my-vm5'];

/** `quorate story`: the walk-through, told and checked. */
export function storyCommand(): Command {
  return new Command('story')
    .description('run the walk-through: five nodes boot, serve a page, fail over and fail back')
    .addOption(
      new Option('--driver <driver>', 'worker threads in real time, or the simulator')
        .choices(['workers', 'simulator'])
        .default('workers'),
    )
    .option('--seed <n>', 'what the world does: a number, or 0x and up to 16 hex digits', '1')
    .option('--speed <x>', 'workers: cluster seconds per second, at most', '10')
    .option('--conf <file>', 'another cluster.conf on all nodes')
    .option('--json <file>', 'write the result as JSON')
    .option('--image <file>', "write the shared disk's GFS2 volume, for fsck.gfs2")
    .action(tellStory);
}

async function tellStory(options: StoryOptions): Promise<void> {
  const seed = seedOf(options.seed);
  const speed = speedOf(options.speed);
  const clusterConf = options.conf === undefined ? undefined : clusterConfOf(options.conf);
  const isJsonOnly = options.json === '-';
  const view = viewFor(options.driver === 'workers' && !isJsonOnly, speed, isJsonOnly);
  const { run, pages } =
    options.driver === 'simulator'
      ? simulateStory(seed, clusterConf, stackInvariants, view, view.kinds)
      : await workStory({
          seed,
          speed,
          clusterConf,
          invariants: stackInvariants,
          watcher: view,
          watchedKinds: view.kinds,
          wantsPages: options.image !== undefined,
        });
  view.end();
  if (!isJsonOnly) process.stdout.write(`\n${reportOf(run)}\n`);
  if (options.json !== undefined) writeJson(options.json, recordOf('hyperv-blog', run));
  if (options.image !== undefined) writeVolumeImage(options.image, pages);
  process.exitCode = isOk(run)
    ? Exit.passed
    : run.violations.length > 0
      ? Exit.safety
      : run.trouble
        ? Exit.exception
        : Exit.liveness;
}

/** A screen on a terminal, lines elsewhere; nothing on stdout when that is for the JSON alone. */
function viewFor(isLive: boolean, speed: number, isJsonOnly: boolean): View {
  if (isLive && process.stdout.isTTY) return new LiveView(process.stdout, MACHINES, speed);
  const stream = isJsonOnly ? process.stderr : process.stdout;
  return new PlainView((line) => stream.write(`${line}\n`));
}

function writeJson(path: string, record: unknown): void {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (path === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
