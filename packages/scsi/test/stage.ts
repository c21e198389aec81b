import { type Choices, MICROSECOND, type World } from '@quorate/kernel';
import {
  DISK_SERVICE,
  persistentReserveOut,
  ReserveOut,
  read10,
  type ScsiFact,
  synchronizeCache10,
  type TaskAttribute,
  testUnitReady,
  write10,
} from '../src/index.js';
import { type Ended, outcomeText, portOf, Rig } from './rig.js';

const RESERVE_OUT: ReadonlyMap<string, ReserveOut> = new Map([
  ['register', ReserveOut.register],
  ['reserve', ReserveOut.reserve],
  ['release', ReserveOut.release],
  ['clear', ReserveOut.clear],
  ['preempt', ReserveOut.preempt],
  ['preempt-abort', ReserveOut.preemptAndAbort],
]);

/** A world whose outcomes a transcript names in advance: `world crash=2 torn=3`; everything else is tame. */
class NamedWorld implements World {
  readonly #next = new Map<string, number[]>();

  name(kind: string, outcome: number): void {
    this.#next.set(kind, [...(this.#next.get(kind) ?? []), outcome]);
  }

  choices(): Choices {
    const take = (kind: string): number => this.#next.get(kind)?.shift() ?? 0;
    return { choose: take, happens: (kind) => take(kind) !== 0, exponential: (kind) => take(kind) * MICROSECOND };
  }
}

/**
 * Runs the lines of a transcript against one target of 64 blocks. Initiators are a, b, c.
 *
 * ```
 * new limit=2 tas            begins anew
 * world crash=2 torn=3       names what the world does next, latencies in µs
 * login a b
 * a write 0+8 fill=1 [ordered|head]     a read 0+8     a sync     a tur
 * a register 0 a | a reserve 5 a | a preempt-abort 5 a b      type, own key, other key
 * a lost | a logout | a login | a abort 3 | a abort-set | a clear-set | a lun-reset | power-cycle
 * wait 100 | run             lets µs pass, or everything end
 * blocks 0+8                 first bytes of blocks
 * ```
 */
export class Stage {
  #world = new NamedWorld();
  #rig = new Rig({ world: this.#world, units: [] });
  #lines: string[] = [];
  #names = new Map<number, string>();

  run(line: string): readonly string[] {
    this.#lines = [];
    const [first = '', ...rest] = line.split(/\s+/);
    switch (first) {
      case 'new':
        this.#begin(rest);
        break;
      case 'world':
        for (const [kind, outcome] of pairs(rest)) this.#world.name(kind, Number(outcome));
        break;
      case 'login':
        this.#rig.login(...rest.map(nexusOf));
        this.#lines = [];
        break;
      case 'power-cycle':
        this.#rig.step({ kind: 'power-cycle' });
        break;
      case 'wait':
        this.#rig.advance(this.#rig.now + Number(rest[0]) * MICROSECOND);
        break;
      case 'run':
        this.#rig.advance();
        break;
      case 'blocks':
        this.#lines.push(this.#blocks(rest[0]!));
        break;
      default:
        this.#act(nexusOf(first), rest);
    }
    return this.#lines;
  }

  #begin(words: readonly string[]): void {
    const inService = Number(options(words).get('limit') ?? DISK_SERVICE.inService);
    const unit = { service: { ...DISK_SERVICE, inService }, hasTaskAbortedStatus: words.includes('tas') };
    this.#world = new NamedWorld();
    this.#rig = new Rig({
      world: this.#world,
      units: [unit],
      observe: (fact) => this.#showFact(fact),
      onEnded: (ended) => this.#showEnded(ended),
    });
    this.#names = new Map();
  }

  #act(nexus: number, words: readonly string[]): void {
    const [verb = '', argument = ''] = words;
    switch (verb) {
      case 'lost':
        return this.#rig.step({ kind: 'nexus-lost', nexus, isNoticed: argument === 'noticed' });
      case 'logout':
        return this.#rig.step({ kind: 'logout', nexus });
      case 'login':
        return this.#rig.step({ kind: 'login', nexus, port: portOf(nexus) });
      case 'abort':
        return this.#manage(nexus, 'abort-task', this.#tagOf(argument));
      case 'abort-set':
        return this.#manage(nexus, 'abort-task-set');
      case 'clear-set':
        return this.#manage(nexus, 'clear-task-set');
      case 'lun-reset':
        return this.#manage(nexus, 'lun-reset');
      default:
        return this.#send(nexus, verb, words);
    }
  }

  #manage(nexus: number, what: 'abort-task' | 'abort-task-set' | 'clear-task-set' | 'lun-reset', tag = 0): void {
    this.#rig.step({ kind: 'task-management', nexus, lun: 0, function: what, tag, id: 1 });
    const ended = this.#rig.other.at(-1);
    if (ended?.kind === 'task-management-ended') this.#say(ended.response);
  }

  /** Commands are named by their number among those of the transcript: `a#1`. */
  #send(nexus: number, verb: string, words: readonly string[]): void {
    const given = options(words);
    const attribute: TaskAttribute = words.includes('ordered')
      ? 'ordered'
      : words.includes('head')
        ? 'head-of-queue'
        : 'simple';
    const { cdb, data } = commandOf(verb, words, Number.parseInt(given.get('fill') ?? '0', 16));
    const tag = this.#rig.send(nexus, cdb, data, 0, attribute);
    this.#names.set(tag, `${letterOf(nexus)}#${this.#names.size + 1} ${verb}`);
    this.#rename(tag);
  }

  /** A command that ended, or was refused, within its own step was shown by its tag. */
  #rename(tag: number): void {
    this.#lines = this.#lines.map((line) => line.replace(`tag ${tag} `, `${this.#names.get(tag)!} `));
  }

  #tagOf(number: string): number {
    for (const [tag, name] of this.#names) if (name.includes(`#${number} `)) return tag;
    return -1;
  }

  #nameOf(tag: number): string {
    return this.#names.get(tag) ?? `tag ${tag}`;
  }

  #showFact(fact: ScsiFact): void {
    switch (fact.kind) {
      case 'scsi.written':
        return this.#say(`${this.#nameOf(fact.tag)} wrote ${fact.lba}+${fact.blocks}`);
      case 'scsi.command-aborted':
        return this.#say(`${this.#nameOf(fact.tag)} aborted (${fact.reason})`);
      case 'scsi.command-ended':
        if (!fact.isDelivered) this.#say(`${this.#nameOf(fact.tag)} ${fact.sense ?? hex2(fact.status)}, to nobody`);
        return;
      case 'scsi.reservation-changed': {
        const keys = fact.registered.map(({ key }) => key).join(' ');
        return this.#say(`keys ${keys}, type ${fact.type}, g${fact.generation}, ${fact.aborted} aborted`);
      }
      case 'scsi.power-cycled':
        return this.#say('power cycled');
      case 'scsi.command-enabled':
        return;
    }
  }

  #showEnded(ended: Ended): void {
    this.#say(`${this.#nameOf(ended.tag)} ${outcomeText(ended)}`);
  }

  #say(text: string): void {
    this.#lines.push(`${this.#rig.now / MICROSECOND} µs: ${text}`);
  }

  #blocks(text: string): string {
    const [lba, blocks] = rangeOf(text);
    const bytes = new Uint8Array(512 * blocks);
    this.#rig.store.read(lba, blocks, bytes);
    return Array.from({ length: blocks }, (_, i) => hex2(bytes[512 * i]!)).join(' ');
  }
}

function commandOf(verb: string, words: readonly string[], fill: number): { cdb: Uint8Array; data: Uint8Array } {
  const nothing = new Uint8Array(0);
  if (verb === 'tur') return { cdb: testUnitReady(), data: nothing };
  if (verb === 'sync') return { cdb: synchronizeCache10(), data: nothing };
  if (verb === 'read') return { cdb: read10(...rangeOf(words[1]!)), data: nothing };
  if (verb === 'write') {
    const [lba, blocks] = rangeOf(words[1]!);
    return { cdb: write10(lba, blocks), data: new Uint8Array(512 * blocks).fill(fill) };
  }
  const action = RESERVE_OUT.get(verb);
  if (action === undefined) throw new Error(`${verb}: no such command`);
  const numbers = words.filter((word) => /^[0-9a-f]{1,16}$/.test(word)).map((word) => BigInt(`0x${word}`));
  const isTyped = verb !== 'register' && verb !== 'clear';
  const [key = 0n, otherKey = 0n] = isTyped ? numbers.slice(1) : numbers;
  return persistentReserveOut(action, isTyped ? Number(numbers[0]) : 0, key, otherKey);
}

function rangeOf(text: string): [lba: number, blocks: number] {
  const [lba = '', blocks = ''] = text.split('+');
  return [Number(lba), Number(blocks)];
}

function pairs(words: readonly string[]): [name: string, value: string][] {
  return words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]);
}

function options(words: readonly string[]): Map<string, string> {
  return new Map(pairs(words));
}

function nexusOf(letter: string): number {
  return letter.charCodeAt(0) - 96;
}

function letterOf(nexus: number): string {
  return String.fromCharCode(96 + nexus);
}

function hex2(value: number): string {
  return value.toString(16).padStart(2, '0');
}
