import type { Os } from '@quorate/kernel';
import { parseAgentInput } from '../agent-input.js';
import { parseCommandLine } from './command-line.js';

/** One option of an agent: its key on standard input, its letter on the command line, and what its metadata says. */
export interface AgentOption {
  readonly key: string;
  readonly letter: string;
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
  readonly isRequired?: boolean;
  readonly default?: string;
}

/** Options of an agent: from the command line if there is one, else from standard input. Undefined: a usage error. */
export function agentOptions(
  argv: readonly string[],
  os: Os,
  known: readonly AgentOption[],
): ReadonlyMap<string, string> | undefined {
  const args = argv.slice(1);
  if (args.length === 0) return parseAgentInput(os.input);
  const optstring = known.map(({ letter, type }) => (type === 'boolean' ? letter : `${letter}:`)).join('');
  const line = parseCommandLine(args, optstring);
  if (line.complaint !== undefined) return undefined;
  const options = new Map<string, string>();
  for (const { key, letter, type } of known) {
    const value = type === 'boolean' && line.flags.has(letter) ? '1' : line.values.get(letter);
    if (value !== undefined) options.set(key, value);
  }
  return options;
}

export interface AgentMetadata {
  readonly name: string;
  readonly shortDescription: string;
  readonly longDescription: string;
  readonly options: readonly AgentOption[];
  /** Actions with the attributes of their element, in order. */
  readonly actions: readonly (readonly [name: string, attributes?: string])[];
}

/** What an agent prints for the action `metadata`. */
export function metadataText(metadata: AgentMetadata): string {
  const { name, shortDescription, longDescription, options, actions } = metadata;
  return [
    '<?xml version="1.0" ?>',
    `<resource-agent name="${name}" shortdesc="${shortDescription}">`,
    `<longdesc>${longDescription}</longdesc>`,
    '<parameters>',
    ...options.flatMap(optionLines),
    '</parameters>',
    '<actions>',
    ...actions.map(([action, attributes = '']) => `\t<action name="${action}"${attributes}/>`),
    '</actions>',
    '</resource-agent>',
    '',
  ].join('\n');
}

function optionLines(option: AgentOption): string[] {
  const { key, letter, type, description, isRequired = false } = option;
  const initial = option.default === undefined ? '' : ` default="${option.default}"`;
  return [
    `\t<parameter name="${key}" unique="0" required="${isRequired ? 1 : 0}">`,
    `\t\t<getopt mixed="-${letter}"/>`,
    `\t\t<content type="${type}"${initial}/>`,
    `\t\t<shortdesc lang="en">${description}</shortdesc>`,
    '\t</parameter>',
  ];
}
