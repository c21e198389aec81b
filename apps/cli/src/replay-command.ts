import { SECOND } from '@quorate/kernel';
import { seedText } from '@quorate/simulator';
import {
  type OutputSketch,
  Recording,
  RecordingError,
  type Registry,
  type ReplayedPart,
  replay,
} from '@quorate/workers';
import { Command } from 'commander';
import { captureRecording } from './capture-output.js';
import { type CommandIo, coloursOf } from './command-io.js';
import { readBytes } from './options.js';
import { OutputFile } from './output-file.js';
import { UsageError } from './usage-error.js';
import { Exit } from './verdict.js';

interface ReplayOptions {
  readonly pcap?: string;
}

/** `quorate replay`: the machines of a recorded run, each by itself. Its action's exit code goes to `exit`. */
export function replayCommand(io: CommandIo, topologies: Registry, exit: (code: number) => void): Command {
  return new Command('replay')
    .description('step the machines of a recorded run again, and compare every output')
    .argument('<file>', 'a recording, from story --record')
    .option('--pcap <file>', 'write the frames of the run as a pcapng file, for Wireshark')
    .action((path: string, options: ReplayOptions) => exit(replayFile(path, options, io, topologies)));
}

function replayFile(path: string, options: ReplayOptions, { stdout, env }: CommandIo, topologies: Registry): number {
  const pcapFile = options.pcap === undefined ? undefined : new OutputFile('--pcap', options.pcap);
  const { green, red } = coloursOf(stdout, env);
  try {
    const recording = new Recording(readBytes(path));
    const { header, end } = recording;
    const build = Object.hasOwn(topologies, header.topologyName) ? topologies[header.topologyName] : undefined;
    if (build === undefined) {
      const known = Object.keys(topologies).join(', ');
      throw new UsageError(`${path}: found topology "${header.topologyName}", expected one of ${known}`);
    }
    stdout.write(
      `${header.scenario}, seed 0x${seedText(header.seed)}, recorded at speed ${header.speed}: ` +
        `${(end.at / SECOND).toFixed(1)} s, ${end.reason}\n`,
    );
    const width = Math.max(...header.parts.map(({ name }) => name.length));
    let different = 0;
    for (const part of replay(recording, topologies)) {
      const verdict = part.isEqual ? green('equal') : red('different');
      stdout.write(
        `  ${part.name.padEnd(width)} ${String(part.inputs).padStart(8)} inputs ` +
          `${String(part.outputs).padStart(8)} outputs  ${part.digest}  ${verdict}\n`,
      );
      for (const line of linesOf(part)) stdout.write(`    ${line}\n`);
      if (!part.isEqual) different += 1;
    }
    if (pcapFile !== undefined) captureRecording(pcapFile, recording, build(header.topologyOptions));
    const { length } = header.parts;
    if (different > 0) stdout.write(`${red('The run is not reproduced')}: ${different} of ${length} differ.\n`);
    else stdout.write(`${green('The run is reproduced')}: every output of all ${length}, byte by byte.\n`);
    return different > 0 ? Exit.determinism : Exit.passed;
  } catch (error) {
    if (error instanceof RecordingError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

/** What is to be said of a part beside its figures. */
function linesOf({ difference, threw, isEqual }: ReplayedPart): readonly string[] {
  const lines: string[] = [];
  if (difference !== undefined) {
    lines.push(`output ${difference.output} differs, at input ${difference.input}`);
    lines.push(`expected ${sketchText(difference.expected)}`);
    lines.push(`found    ${sketchText(difference.found)}`);
  }
  if (threw !== undefined) {
    lines.push(`threw${isEqual ? ', as in the run,' : ''} at ${instantText(threw.at)}: ${threw.message}`);
  } else if (!isEqual && difference === undefined) lines.push('did not throw, as it did in the run');
  return lines;
}

function sketchText(sketch: OutputSketch | undefined): string {
  if (sketch === undefined) return 'nothing more';
  return `${instantText(sketch.at)} ${sketch.kind}, ${sketch.size} bytes${sketch.text === '' ? '' : ` ${sketch.text}`}`;
}

function instantText(at: number): string {
  return `${(at / SECOND).toFixed(9)} s`;
}
