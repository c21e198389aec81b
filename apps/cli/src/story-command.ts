import { hypervBlogTopology, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { seedText } from '@quorate/simulator';
import { joinTaps } from '@quorate/trace';
import { Command } from 'commander';
import { captureOutput, captureTo } from './capture-output.js';
import { type CommandIo, coloursOf } from './command-io.js';
import { createImages, refuseOldImages } from './disk/disk-directory.js';
import { joinWatchers } from './join-watchers.js';
import { clusterConfOf, type DriverOptions, driverOptions, seedOf, speedOf } from './options.js';
import { OutputFile } from './output-file.js';
import { type RunRecord, recordOf } from './run-record.js';
import { type SimulatedStoryOptions, simulateStory } from './simulated-story.js';
import { reportOf, reportWidth } from './story-report.js';
import type { ToldStory } from './told-story.js';
import { fullTrace } from './trace-output.js';
import { UsageError } from './usage-error.js';
import { Exit } from './verdict.js';
import { LiveView, takesLiveView } from './views/live-view.js';
import { PlainView } from './views/plain-view.js';
import type { View } from './views/view.js';
import { writeVolumeImage } from './volume-image.js';
import { type WorkedStoryOptions, workStory } from './worked-story.js';

interface StoryOptions extends DriverOptions {
  readonly conf?: string;
  readonly json?: string;
  readonly image?: string;
  readonly diskDir?: string;
  readonly record?: string;
  readonly pcap?: string;
  readonly trace?: string;
}

/** What a driver is told, but for who watches. */
type Told<Options> = Omit<Options, 'watcher' | 'watchedKinds' | 'tap' | 'recordTo' | 'frames'> & {
  readonly view: View;
  readonly pcapFile: OutputFile | undefined;
};

/** `quorate story`: the walk-through, told and checked. Its action's exit code goes to `exit`. */
export function storyCommand(io: CommandIo, exit: (code: number) => void): Command {
  const command = new Command('story').description(
    'run the walk-through: five nodes boot, serve a page, fail over and fail back',
  );
  return driverOptions(command, 'workers')
    .option('--conf <file>', 'another cluster.conf on all nodes')
    .option('--json <file>', 'write the result as JSON; - for standard output')
    .option('--image <file>', "write the shared disk's GFS2 volume, for fsck.gfs2")
    .option('--disk-dir <dir>', 'write the disks as VHDX images in that directory, and leave them there')
    .option('--record <file>', 'workers: write what every machine was stepped with, for quorate replay')
    .option('--pcap <file>', 'write the frames of the run as a pcapng file, for Wireshark')
    .option('--trace <file>', 'simulator: write the run as a .qtrace file')
    .action(async (options: StoryOptions) => exit(await tellStory(options, io)));
}

async function tellStory(options: StoryOptions, io: CommandIo): Promise<number> {
  const seed = seedOf(options.seed);
  const speed = speedOf(options.speed);
  const clusterConf = options.conf === undefined ? undefined : clusterConfOf(options.conf);
  const topology = hypervBlogTopology(administratorsPrograms, clusterConf);
  const isJsonOnly = options.json === '-';
  const jsonFile = options.json === undefined || isJsonOnly ? undefined : new OutputFile('--json', options.json);
  if (options.record !== undefined && options.driver !== 'workers') {
    throw new UsageError(`--record: found driver ${options.driver}, expected workers: a simulated run is its seed`);
  }
  if (options.trace !== undefined && options.driver !== 'simulator') {
    throw new UsageError(`--trace: found driver ${options.driver}, expected simulator; workers have --record`);
  }
  const traceFile = options.trace === undefined ? undefined : new OutputFile('--trace', options.trace);
  const recordFile = options.record === undefined ? undefined : new OutputFile('--record', options.record);
  const pcapFile = options.pcap === undefined ? undefined : new OutputFile('--pcap', options.pcap);
  const imageFile = options.image === undefined ? undefined : new OutputFile('--image', options.image);

  const { driver, diskDir } = options;
  if (diskDir !== undefined) refuseOldImages(diskDir);
  // In worker threads it is the disks' own that makes them.
  const images = diskDir === undefined || driver === 'workers' ? undefined : createImages(diskDir, topology.disks());

  const names = topology.machines.map(({ name }) => name);
  const view = viewFor(io, options.driver === 'workers' && !isJsonOnly, isJsonOnly, names, speed);
  const common = { topology, seed, invariants: stackInvariants };
  const { run, pages } =
    options.driver === 'simulator'
      ? simulated({ ...common, view, pcapFile, traceFile, ...(images && { stores: images.stores }) })
      : await worked({
          ...common,
          speed,
          clusterConf,
          diskDirectory: diskDir,
          view,
          recordFile,
          pcapFile,
          wantsPages: imageFile !== undefined,
        });
  view.end();

  const json = jsonOf(recordOf('hyperv-blog', run));
  if (isJsonOnly) io.stdout.write(json);
  else io.stdout.write(`\n${reportOf(run, reportWidth(io.stdout), coloursOf(io.stdout, io.env))}\n`);
  if (jsonFile !== undefined) {
    jsonFile.begin();
    jsonFile.write(Buffer.from(json));
    jsonFile.close();
  }
  if (imageFile !== undefined) writeVolumeImage(imageFile, pages);
  images?.close();
  return Exit[run.verdict];
}

/** Runs it in the simulator; its frames go to a file as they are sent. */
function simulated({
  view,
  pcapFile,
  traceFile,
  ...options
}: Told<SimulatedStoryOptions> & { readonly traceFile: OutputFile | undefined }): ToldStory {
  const { topology, seed } = options;
  const capture = pcapFile && captureOutput(pcapFile, topology);
  const trace = traceFile && fullTrace(traceFile, 'full', { scenario: 'hyperv-blog', seed: seedText(seed), topology });
  const tap = joinTaps(trace?.tap, capture?.tap);
  const told = simulateStory({
    ...options,
    watcher: joinWatchers(view, trace?.watcher, capture?.watcher),
    // A trace has all facts.
    ...(trace === undefined && { watchedKinds: [...view.kinds, ...(capture?.kinds ?? [])] }),
    ...(tap && { tap }),
  });
  capture?.end();
  trace?.end({ hash: told.run.traceHash!, violations: told.run.violations });
  return told;
}

/** Runs it in worker threads. */
async function worked({
  view,
  recordFile,
  pcapFile,
  ...options
}: Told<WorkedStoryOptions> & { readonly recordFile: OutputFile | undefined }): Promise<ToldStory> {
  recordFile?.begin();
  pcapFile?.begin();
  const told = await workStory({
    ...options,
    watcher: view,
    watchedKinds: view.kinds,
    ...(recordFile && { recordTo: (bytes) => recordFile.write(bytes) }),
    ...(pcapFile && { frames: captureTo(pcapFile, options.topology) }),
  });
  recordFile?.close();
  pcapFile?.close();
  return told;
}

/** A screen on a terminal, lines elsewhere; nothing on stdout when that is for the JSON alone. */
function viewFor(
  { stdout, stderr, env }: CommandIo,
  mayBeLive: boolean,
  isJsonOnly: boolean,
  machines: readonly string[],
  speed: number,
): View {
  if (mayBeLive && takesLiveView(stdout, env.TERM)) {
    return new LiveView({ stream: stdout, colours: coloursOf(stdout, env), machines, speed, clock: Date.now });
  }
  const stream = isJsonOnly ? stderr : stdout;
  return new PlainView((line) => stream.write(`${line}\n`), machines, coloursOf(stream, env));
}

function jsonOf(record: RunRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
