import { CcsComplaint } from './complaint.js';

/** A command line of ccs. */
export interface CcsOptions {
  /** `--addnode`, `--sync`, … */
  readonly action: string;
  readonly words: readonly string[];
  /** `-h`: the machine whose ricci is asked. */
  readonly host: string | undefined;
  /** `-f`: a file of this machine, and no ricci. */
  readonly file: string | undefined;
  readonly nodeId: string | undefined;
  readonly votes: string | undefined;
  /** `-i`: the schema does not matter. */
  readonly isForced: boolean;
  readonly isActivating: boolean;
  /** What is started or stopped is so at the next boot, too. */
  readonly isLasting: boolean;
  readonly isUnfencing: boolean;
}

const VALUES = new Map([
  ['-h', '--host'],
  ['--host', '--host'],
  ['-f', '--file'],
  ['--file', '--file'],
  ['-p', '--password'],
  ['--password', '--password'],
  ['--nodeid', '--nodeid'],
  ['--votes', '--votes'],
]);

const FLAGS = new Map([
  ['-i', '--ignore'],
  ['--ignore', '--ignore'],
  ['-d', '--debug'],
  ['--debug', '--debug'],
  ['--activate', '--activate'],
  ['--noenable', '--noenable'],
  ['--nodisable', '--noenable'],
  ['--nounfence', '--nounfence'],
]);

/** @throws CcsComplaint when an option has no value, or there is not exactly one action. */
export function readOptions(argv: readonly string[]): CcsOptions {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const words: string[] = [];
  let action: string | undefined;
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i]!;
    const value = VALUES.get(word);
    const flag = FLAGS.get(word);
    if (value !== undefined) {
      i += 1;
      if (argv[i] === undefined) throw new CcsComplaint(`option ${word} requires argument`, 2);
      values.set(value, argv[i]!);
    } else if (flag !== undefined) flags.add(flag);
    else if (!word.startsWith('-')) words.push(word);
    else if (action === undefined) action = word;
    else throw new CcsComplaint(`${action} and ${word}: expected one of them`, 2);
  }
  if (action === undefined) throw new CcsComplaint('expected what to do', 2);
  return {
    action,
    words,
    host: values.get('--host'),
    file: values.get('--file'),
    nodeId: values.get('--nodeid'),
    votes: values.get('--votes'),
    isForced: flags.has('--ignore'),
    isActivating: flags.has('--activate'),
    isLasting: !flags.has('--noenable'),
    isUnfencing: !flags.has('--nounfence'),
  };
}
