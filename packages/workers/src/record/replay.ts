import { hex, type Nanos, SeededWorld } from '@quorate/kernel';
import { machineConfig, type Topology, targetConfig, VirtualMachine } from '@quorate/lab';
import { ScsiTarget } from '@quorate/scsi';
import type { Registry } from '../boot.js';
import { Segment } from '../worker/segment.js';
import { OutputDigest, type OutputMark } from './machine-recorder.js';
import type { Recording } from './recording.js';
import type { RecordedPart } from './recording-writer.js';

/** An output in short. */
export interface OutputSketch {
  readonly at: Nanos;
  readonly kind: string;
  /** Bytes of it as a MessagePack document. */
  readonly size: number;
  /** Its fields, long ones cut; where the recording alone does not say them, empty. */
  readonly text: string;
}

/** Where the outputs of a machine first differ from those that were recorded. */
export interface Difference {
  /** Number of the output, from 1. */
  readonly output: number;
  /** Number of the input that was being handled, from 1. */
  readonly input: number;
  /** Undefined: none was expected any more. */
  readonly expected: OutputSketch | undefined;
  /** Undefined: it emitted nothing more. */
  readonly found: OutputSketch | undefined;
}

/** What became of one machine of a recording. */
export interface ReplayedPart extends RecordedPart {
  readonly inputs: number;
  readonly outputs: number;
  /** Over all outputs, 8 hex digits; up to the first difference, if there is one. */
  readonly digest: string;
  /** Undefined when the outputs are equal, byte by byte. */
  readonly difference: Difference | undefined;
  /** What the machine threw, and at which instant. */
  readonly threw: { readonly at: Nanos; readonly message: string } | undefined;
  /** It has no difference, and threw if and only if it threw when it was recorded. */
  readonly isEqual: boolean;
}

/** A machine of whatever kind, as the replay steps it. */
interface Steppable {
  step(now: Nanos, input: never, emit: (output: { readonly kind: string }) => void): void;
}

/**
 * Steps every machine of a recording, the network and the disks through what they were stepped with, one after the other, and
 * compares what they emit with what they emitted then.
 *
 * `registry` builds the topology as it did for the workers.
 *
 * @throws {RecordingError} when the recording is broken, {RangeError} when it needs a topology that is not in the registry.
 */
export function* replay(recording: Recording, registry: Registry): Generator<ReplayedPart, void, undefined> {
  const { header, end } = recording;
  const build = Object.hasOwn(registry, header.topologyName) ? registry[header.topologyName] : undefined;
  if (build === undefined) {
    const known = Object.keys(registry).join(', ');
    throw new RangeError(`found a recording of topology "${header.topologyName}", expected one of ${known}`);
  }
  const topology = build(header.topologyOptions);
  for (const [i, part] of header.parts.entries()) {
    const id = topology.machines.find(({ name }) => name === part.name)?.id ?? 0;
    const run = new PartReplay(recording, i, id, machineOf(recording, part, topology));
    run.run();
    const hasThrown = run.threw !== undefined;
    const isEqual = run.difference === undefined && hasThrown === (end.threw?.part === part.name);
    const { inputs, outputs, digest, difference, threw } = run;
    yield { ...part, inputs, outputs, digest: digest.toString(16).padStart(8, '0'), difference, threw, isEqual };
  }
}

function machineOf({ header: { seed } }: Recording, { kind, name }: RecordedPart, topology: Topology): Steppable {
  switch (kind) {
    case 'machine': {
      const spec = topology.machines.find((machine) => machine.name === name);
      if (spec === undefined)
        throw new RangeError(`found a recording of machine "${name}", which the topology has not`);
      return new VirtualMachine(machineConfig(topology, spec, seed, undefined));
    }
    case 'switch':
      return new Segment({ topology, seed });
    case 'disks':
      return new ScsiTarget(targetConfig(topology, new SeededWorld(seed)).config);
  }
}

class PartReplay {
  inputs = 0;
  outputs = 0;
  digest = 0;
  difference: Difference | undefined;
  threw: { readonly at: Nanos; readonly message: string } | undefined;
  readonly #recording: Recording;
  readonly #part: number;
  /** Number of a machine's NIC and nexus. */
  readonly #id: number;
  readonly #machine: Steppable;
  readonly #expected: Iterator<OutputMark>;
  readonly #digest = new OutputDigest();
  /** Outputs of each kind so far. */
  readonly #counts = new Map<string, number>();

  constructor(recording: Recording, part: number, id: number, machine: Steppable) {
    this.#recording = recording;
    this.#part = part;
    this.#id = id;
    this.#machine = machine;
    this.#expected = recording.outputs(part);
  }

  run(): void {
    for (const { at, input } of this.#recording.inputs(this.#part)) {
      this.inputs += 1;
      try {
        this.#machine.step(at, input as never, (output) => this.#onOutput(at, output));
      } catch (error) {
        this.threw = { at, message: error instanceof Error ? error.message : String(error) };
      }
      if (this.difference !== undefined || this.threw !== undefined) return;
    }
    const missing = this.#next();
    if (missing !== undefined) this.#differ(missing, undefined);
  }

  #onOutput(at: Nanos, output: { readonly kind: string }): void {
    if (this.difference !== undefined) return;
    const found = this.#digest.mark(at, output);
    const expected = this.#next();
    this.outputs += 1;
    this.digest = found.digest;
    const isSame =
      expected?.at === at &&
      expected.kind === found.kind &&
      expected.size === found.size &&
      expected.digest === found.digest;
    if (!isSame) return this.#differ(expected, { at, kind: found.kind, size: found.size, text: sketch(output) });
    this.#counts.set(found.kind, (this.#counts.get(found.kind) ?? 0) + 1);
  }

  #next(): OutputMark | undefined {
    const { value, done } = this.#expected.next();
    return done === true ? undefined : value;
  }

  #differ(expected: OutputMark | undefined, found: OutputSketch | undefined): void {
    this.difference = {
      output: found === undefined ? this.outputs + 1 : this.outputs,
      input: this.inputs,
      expected: expected && { at: expected.at, kind: expected.kind, size: expected.size, text: this.#textOf(expected) },
      found,
    };
  }

  /** What a machine sent is what the network or the disks were given; of other outputs the recording has the digest only. */
  #textOf({ kind }: OutputMark): string {
    const receiver = RECEIVERS[kind];
    if (receiver === undefined) return '';
    const to = this.#recording.header.parts.findIndex((part) => part.kind === receiver.part);
    let left = this.#counts.get(kind) ?? 0;
    for (const { input } of to < 0 ? [] : this.#recording.inputs(to)) {
      if (input.kind !== receiver.input || input[receiver.sender] !== this.#id) continue;
      if (left === 0) return sketch(input);
      left -= 1;
    }
    return '';
  }
}

/** As which input of which part an output of a machine arrives. */
const RECEIVERS: Readonly<Record<string, { part: RecordedPart['kind']; input: string; sender: string }>> = {
  frame: { part: 'switch', input: 'send', sender: 'nic' },
  io: { part: 'disks', input: 'command', sender: 'nexus' },
};

const MOST_BYTES = 32;
const MOST_CHARACTERS = 200;

/** Its fields as JSON, bytes as the beginning of their hex. */
function sketch(output: { readonly kind: string }): string {
  const { kind: _, ...fields } = output;
  const text = JSON.stringify(fields, (_key, value: unknown) => {
    if (!(value instanceof Uint8Array)) return value;
    const head = hex(value.subarray(0, MOST_BYTES));
    return value.length > MOST_BYTES ? `${head}… ${value.length} bytes` : head;
  });
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
