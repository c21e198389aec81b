import { type Nanos, SECOND } from '@quorate/kernel';
import type { Fault, LabCommand } from '@quorate/lab';
import { UsageError } from '../usage-error.js';

/** What is typed outside of the machines. */
export type HostCommand =
  | { readonly kind: 'lab'; readonly commands: readonly LabCommand[] }
  | { readonly kind: 'wait'; readonly duration: Nanos }
  | { readonly kind: 'speed'; readonly speed: number }
  | { readonly kind: 'f5' | 'status' | 'help' | 'exit' };

interface Form {
  /** Words that stand as they are begin it. */
  readonly words: readonly string[];
  readonly takes: string;
  readonly does: string;
  /** Undefined: these arguments are none. */
  read(args: readonly string[], machines: readonly string[]): HostCommand | undefined;
}

const LONG_SECONDS = 3600;
const HEALTHY = { slow: 1, hungFor: 0, reserveOut: 0, answer: 'none' } as const;

const FORMS: readonly Form[] = [
  onEach(['power', 'on'], 'gives them power', (machine) => ({ kind: 'power-on', machine })),
  onEach(['power', 'off'], 'cuts their power', (machine) => ({ kind: 'power-off', machine })),
  onEach(['pause'], 'stops their processors', (machine) => ({ kind: 'pause', machine })),
  onEach(['resume'], 'lets them go on', (machine) => ({ kind: 'resume', machine })),
  onEach(['unplug'], 'pulls their network cables', (machine) => ({ kind: 'link', machine, isUp: false })),
  onEach(['plug'], 'puts them back', (machine) => ({ kind: 'link', machine, isUp: true })),
  {
    words: ['partition'],
    takes: 'NAMES [NAMES]',
    does: 'cuts the network between these machines and those, or all others',
    read: ([here, there, ...more], machines) => {
      const from = here === undefined ? undefined : namesOf([here], machines);
      if (from === undefined || more.length > 0) return undefined;
      const to = there === undefined ? machines.filter((name) => !from.includes(name)) : namesOf([there], machines);
      if (to === undefined || to.length === 0 || to.some((name) => from.includes(name))) return undefined;
      return { kind: 'lab', commands: [{ kind: 'partition', from, to, isBothWays: true }] };
    },
  },
  bare('heal', 'ends all partitions', { kind: 'lab', commands: [{ kind: 'heal' }] }),
  {
    words: ['disk', 'hang'],
    takes: 'NAMES [SECONDS]',
    does: 'the disks do not answer them so long; an hour unless told',
    read: ([names, seconds = String(LONG_SECONDS), ...more], machines) => {
      const hungFor = secondsOf(seconds);
      return more.length > 0 || hungFor === undefined ? undefined : disks(names, machines, { hungFor });
    },
  },
  {
    words: ['disk', 'slow'],
    takes: 'NAMES FACTOR',
    does: 'the disks take that many times as long for them',
    read: ([names, factor, ...more], machines) => {
      const slow = Number(factor);
      return more.length > 0 || !(slow >= 1 && slow <= 1e6) ? undefined : disks(names, machines, { slow });
    },
  },
  {
    words: ['disk', 'heal'],
    takes: 'NAMES',
    does: 'the disks serve them as before',
    read: ([names, ...more], machines) => (more.length > 0 ? undefined : disks(names, machines, HEALTHY)),
  },
  onEach(['disk', 'unplug'], 'pulls their cables to the disks', (machine) => {
    return { kind: 'disk-path', machine, isUp: false };
  }),
  onEach(['disk', 'plug'], 'puts them back', (machine) => ({ kind: 'disk-path', machine, isUp: true })),
  {
    words: ['wait'],
    takes: 'SECONDS',
    does: 'waits so long, in the time of the cluster',
    read: ([seconds = '', ...more]) => {
      const duration = secondsOf(seconds);
      return more.length > 0 || duration === undefined ? undefined : { kind: 'wait', duration };
    },
  },
  {
    words: ['speed'],
    takes: 'X',
    does: 'cluster seconds per second, at most',
    read: ([text, ...more]) => {
      const speed = Number(text);
      return more.length > 0 || !(speed > 0 && speed <= 1000) ? undefined : { kind: 'speed', speed };
    },
  },
  bare('f5', "asks for the service's page, as the client's browser does", { kind: 'f5' }),
  bare('status', 'says what machines are on, and what time it is', { kind: 'status' }),
  bare('help', 'says this', { kind: 'help' }),
  bare('exit', 'ends it all', { kind: 'exit' }),
];

/**
 * Reads a line that is typed outside.
 *
 * @throws {UsageError} for anything else than a command of the table.
 */
export function readHostCommand(line: string, machines: readonly string[]): HostCommand {
  const words = line.split(/\s+/).filter(Boolean);
  const meant = FORMS.filter((form) => form.words.every((word, i) => word === words[i]));
  for (const form of meant) {
    const command = form.read(words.slice(form.words.length), machines);
    if (command !== undefined) return command;
  }
  if (meant.length > 0) {
    const names = `NAMES are ${machines.join(', ')} or all, with commas between`;
    throw new UsageError(`found "${line}", expected ${meant.map(usageOf).join(' or ')}; ${names}`);
  }
  throw new UsageError(`found "${line}", expected one of ${FORMS.map(usageOf).join(', ')}`);
}

/** Lines that say what can be typed outside. */
export function hostHelp(): string {
  const width = Math.max(...FORMS.map((form) => usageOf(form).length));
  return FORMS.map((form) => `  ${usageOf(form).padEnd(width)}  ${form.does}\n`).join('');
}

/** Beginnings of commands, for who completes them. */
export const HOST_WORDS: readonly string[] = FORMS.map(({ words }) => words.join(' '));

function onEach(words: readonly string[], does: string, command: (machine: string) => LabCommand): Form {
  return {
    words,
    takes: 'NAMES',
    does,
    read: (args, machines) => {
      const names = namesOf(args, machines);
      return names && { kind: 'lab', commands: names.map(command) };
    },
  };
}

function bare(word: string, does: string, command: HostCommand): Form {
  return { words: [word], takes: '', does, read: (args) => (args.length === 0 ? command : undefined) };
}

function disks(
  names: string | undefined,
  machines: readonly string[],
  impairment: Extract<Fault, { kind: 'disks' }>['impairment'],
): HostCommand | undefined {
  const found = names === undefined ? undefined : namesOf([names], machines);
  return (
    found && {
      kind: 'lab',
      commands: found.map((machine) => ({ kind: 'fault', fault: { kind: 'disks', machine, impairment } })),
    }
  );
}

function namesOf(args: readonly string[], machines: readonly string[]): readonly string[] | undefined {
  if (args.length === 1 && args[0] === 'all') return machines;
  const names = args.flatMap((arg) => arg.split(',')).filter(Boolean);
  const isUnderstood = names.length > 0 && names.every((name) => machines.includes(name));
  return isUnderstood ? [...new Set(names)] : undefined;
}

function secondsOf(text: string): Nanos | undefined {
  const seconds = Number(text);
  const isUnderstood = /^[0-9]+(\.[0-9]+)?$/.test(text) && seconds <= 1e6;
  return isUnderstood ? Math.round(seconds * SECOND) : undefined;
}

function usageOf({ words, takes }: Form): string {
  return [...words, takes].filter(Boolean).join(' ');
}
