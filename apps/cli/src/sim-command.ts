import type { Seed } from '@quorate/kernel';
import type { RunWatcher } from '@quorate/lab';
import { reportOf, type SeedReport, Simulator, seedText } from '@quorate/simulator';
import { tuneForShortRuns } from '@quorate/simulator/node';
import { joinTaps } from '@quorate/trace';
import { Command, Option } from 'commander';
import { campaignCommand } from './campaign/campaign-command.js';
import { replayCommand, shrinkCommand } from './campaign/replay-command.js';
import { type CaptureOutput, captureOutput } from './capture-output.js';
import { type CommandIo, coloursOf } from './command-io.js';
import { joinWatchers } from './join-watchers.js';
import { nemesisOf, seedOf } from './options.js';
import { OutputFile } from './output-file.js';
import { type PreparedScenario, prepare, type ScenarioOptions, type Scenarios } from './scenarios.js';
import { TRACE_MODES, type TraceMode, type TraceOutput, traceOutput } from './trace-output.js';
import { Exit } from './verdict.js';
import { PlainView } from './views/plain-view.js';

interface RunOptions {
  readonly seed: string;
  readonly nemesis?: string;
  readonly trace?: string;
  readonly traceMode: TraceMode;
  readonly pcap?: string;
  readonly checkDeterminism?: boolean;
  readonly quiet?: boolean;
}

/** `quorate sim`: scenarios in the deterministic simulator. Its action's exit code goes to `exit`. */
export function simCommand(io: CommandIo, scenarios: Scenarios, exit: (code: number) => void): Command {
  const run = new Command('run')
    .description('run a scenario')
    .argument('<scenario>', `its name: ${[...scenarios.keys()].join(', ')}`)
    .option('--seed <n>', 'what the world does: a number, or 0x and up to 16 hex digits', '1')
    .option('--nemesis <preset>', 'what goes wrong in a storm: calm, jepsen, swarm, gray')
    .option('--trace <file>', 'write the run as a .qtrace file')
    .addOption(
      new Option('--trace-mode <mode>', 'the last events only; everything; and the bytes of frames with it')
        .choices(TRACE_MODES)
        .default('full'),
    )
    .option('--pcap <file>', 'write the frames of the run as a pcapng file, for Wireshark')
    .option('--check-determinism', 'run it twice and compare the hashes')
    .option('--quiet', 'only the last line')
    .action((name: string, options: RunOptions) => exit(runScenario(name, options, io, scenarios)));
  return new Command('sim')
    .description('run scenarios in the deterministic simulator')
    .addCommand(run)
    .addCommand(campaignCommand(io, scenarios, exit))
    .addCommand(replayCommand(io, scenarios, exit))
    .addCommand(shrinkCommand(io, scenarios, exit));
}

/** What the last line on standard output says, beside how to run it again. */
interface Outcome extends Pick<SeedReport, 'verdict' | 'id' | 'hash' | 'events' | 'virtualNs'> {
  readonly cpuMs: number;
}

function runScenario(name: string, options: RunOptions, io: CommandIo, scenarios: Scenarios): number {
  const scenarioOptions: ScenarioOptions = options.nemesis === undefined ? {} : { nemesis: nemesisOf(options.nemesis) };
  const prepared = (): PreparedScenario => prepare(scenarios, name, scenarioOptions);
  const seed = seedOf(options.seed);
  const file = options.trace === undefined ? undefined : new OutputFile('--trace', options.trace);
  const pcapFile = options.pcap === undefined ? undefined : new OutputFile('--pcap', options.pcap);
  const first = new ScenarioRun(prepared(), seed, io);
  if (options.quiet !== true) first.tell();
  if (file !== undefined) first.trace(file, options.traceMode);
  if (pcapFile !== undefined) first.capture(pcapFile);
  let outcome = first.run();
  if (options.checkDeterminism === true) {
    const { hash } = new ScenarioRun(prepared(), seed, io).run();
    if (hash !== outcome.hash) outcome = { ...outcome, verdict: 'determinism', id: `${outcome.hash} ${hash}` };
  }
  const text = seedText(seed);
  const nemesis = options.nemesis === undefined ? '' : ` --nemesis ${options.nemesis}`;
  const replay = `quorate sim run ${name} --seed 0x${text}${nemesis}`;
  const line = { ...outcome, seed: text, commit: null, logPath: options.trace ?? null, replay };
  io.stdout.write(`${JSON.stringify(line)}\n`);
  return Exit[outcome.verdict];
}

/** One run of a scenario, told and traced as wished. Whoever watches changes nothing of it. */
class ScenarioRun {
  readonly #prepared: PreparedScenario;
  readonly #seed: Seed;
  readonly #io: CommandIo;
  readonly #watchers: RunWatcher[] = [];
  /** Kinds of facts that somebody wants; undefined: all. */
  #kinds: readonly string[] | undefined = [];
  #trace: TraceOutput | undefined;
  #capture: CaptureOutput | undefined;

  constructor(prepared: PreparedScenario, seed: Seed, io: CommandIo) {
    this.#prepared = prepared;
    this.#seed = seed;
    this.#io = io;
  }

  /** Prints what happens. */
  tell(): void {
    const { stdout, env } = this.#io;
    const names = this.#prepared.topology.machines.map(({ name }) => name);
    const view = new PlainView((line) => stdout.write(`${line}\n`), names, coloursOf(stdout, env));
    this.#kinds = view.kinds;
    this.#watchers.push({
      progress: (at, progress) => view.progress(at, progress),
      fact: (fact) => view.fact(fact),
    });
  }

  /** Writes it to a file. */
  trace(file: OutputFile, mode: TraceMode): void {
    const { scenario, topology } = this.#prepared;
    const output = traceOutput(file, mode, { scenario: scenario.name, seed: seedText(this.#seed), topology });
    this.#trace = output;
    if (output.watcher === undefined) return;
    this.#kinds = undefined;
    this.#watchers.push(output.watcher);
  }

  /** Writes its frames to a file. */
  capture(file: OutputFile): void {
    const output = captureOutput(file, this.#prepared.topology);
    this.#capture = output;
    if (this.#kinds !== undefined) this.#kinds = [...this.#kinds, ...output.kinds];
    this.#watchers.push(output.watcher);
  }

  run(): Outcome {
    const { scenario, topology, invariants } = this.#prepared;
    tuneForShortRuns();
    const tap = joinTaps(this.#trace?.tap, this.#capture?.tap);
    const simulator = new Simulator({
      scenario,
      topology,
      seed: this.#seed,
      invariants,
      watcher: joinWatchers(...this.#watchers),
      ...(this.#kinds !== undefined && { watchedKinds: this.#kinds }),
      ...(tap !== undefined && { tap }),
    });
    const before = process.cpuUsage();
    const result = simulator.run();
    const used = process.cpuUsage(before);
    this.#trace?.end(result, simulator.ring);
    this.#capture?.end();
    if (result.exception !== undefined) this.#io.stderr.write(`${result.exception}\n`);
    const { verdict, id, hash, events, virtualNs } = reportOf(simulator, result, this.#seed);
    return { verdict, id, hash, events, virtualNs, cpuMs: (used.user + used.system) / 1000 };
  }
}
