import { type ProgramResult, SECOND, type Stamped, utf8Text } from '@quorate/kernel';
import type { MappedSegment } from '@quorate/volumes';
import { checkTranscript, marked } from '../../../tooling/transcript.js';
import { isIncomplete } from '../src/programs/sh/parser.js';
import type { TestMachine } from './machine.js';

/**
 * Types every command of a transcript on a machine. What it prints stands behind `|`, its complaints behind `!`; its
 * status if it is not 0, and how long it took if it took time.
 *
 * Lines with `%` are what happens to the machine: `% wait SECONDS`, `% cable up|down`, `% disk-cable up|down`, `% hang
 * INITIATOR SECONDS` (the disks of the other host), `% log
 * TAG…` (since last asked, of these tags or all), `% facts` (those that a boot and a shutdown are made of, since last asked),
 * `% changes` (to the root disk, since last asked), `% get URL` (from the
 * other host).
 */
export function checkConsole(name: string, machine: TestMachine): void {
  checkTranscript(
    new URL(`data/${name}.txt`, import.meta.url),
    (lines) =>
      commandsOf(lines)
        .flatMap((command) => execute(machine, command))
        .join('\n') || 'nothing',
  );
}

/** What is open at the end of a line goes on in the next. */
function commandsOf(lines: readonly string[]): readonly string[] {
  const commands: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    commands.push(isOpen ? `${commands.pop()}\n${line}` : line);
    isOpen = !line.startsWith('%') && isIncomplete(commands.at(-1)!);
  }
  return commands;
}

function execute(machine: TestMachine, command: string): readonly string[] {
  if (!command.startsWith('%')) return type(machine, command);
  const [, what, ...operands] = command.split(' ');
  const [operand = ''] = operands;
  switch (what) {
    case 'wait':
      machine.run(Number(operand) * SECOND);
      return [];
    case 'cable':
      machine.setCable(operand === 'up');
      return [];
    case 'hang':
      machine.hangTargets(operand, Number(operands[1]) * SECOND);
      return [];
    case 'disk-cable':
      machine.hasDiskCable = operand === 'up';
      return [];
    case 'log':
      return machine.log
        .splice(0)
        .filter((line) => operands.length === 0 || operands.includes(line.slice(0, line.indexOf(':'))));
    case 'facts':
      return machine.facts.splice(0).flatMap(tell);
    case 'changes':
      return machine.changes
        .splice(0)
        .filter(({ path }) => path !== '/var/log/messages')
        .map((change) =>
          `${change.change} ${change.path}${change.change === 'removed' ? '' : ` ${utf8Text(change.bytes)}`}`.trimEnd(),
        );
    case 'get':
      return get(machine, operand);
    case 'type': {
      const line = operands.join(' ');
      machine.underWay.set(machine.typeOnly(line), line);
      return [];
    }
    case 'ended':
      return [...machine.underWay].flatMap(([id, line]) => ended(machine, id, line));
    default:
      throw new Error(`unknown: ${command}`);
  }
}

/** What of a fact stands in a transcript, by its kind; other kinds do not, nor does what gives undefined. */
const TELLING: Readonly<Record<string, (fact: Readonly<Record<string, unknown>>) => unknown>> = {
  'quorum.changed': ({ isQuorate }) => (isQuorate === true ? 'quorate' : 'inquorate'),
  'quorum.left': () => '',
  'dlm.recovered': ({ lockspace }) => lockspace,
  'dlm.lock-granted': ({ lockspace, mode, resource }) => (lockspace === 'clvmd' ? `${mode} ${resource}` : undefined),
  'dlm.released': ({ lockspace }) => lockspace,
  'volumes.activated': ({ volumeId, segments }) =>
    `${volumeId} ${(segments as readonly MappedSegment[]).map((each) => `${each.physicalStart}+${each.sectors}`).join(' ')}`,
  'volumes.deactivated': ({ volumeId }) => volumeId,
  'gfs2.mounted': () => '',
  'gfs2.unmounted': () => '',
  'rg.agent-started': ({ action, resource }) => `${action} ${resource}`,
  'rg.exited': () => '',
  'network.address-added': ({ address }) => address,
  'network.address-removed': ({ address }) => address,
};

function tell(fact: Stamped): readonly string[] {
  const text = TELLING[fact.kind]?.(fact as Stamped & Readonly<Record<string, unknown>>);
  return text === undefined ? [] : [`${fact.kind} ${text}`.trimEnd()];
}

function ended(machine: TestMachine, id: number, line: string): readonly string[] {
  const result = machine.resultOf(id);
  if (result === undefined) return [];
  machine.underWay.delete(id);
  return [line, ...printed(result)];
}

function printed({ status, output, errors }: ProgramResult): readonly string[] {
  const lines = [...marked('|', output), ...marked('!', errors)];
  return status === 0 ? lines : [...lines, `status ${status}`];
}

function type(machine: TestMachine, command: string): readonly string[] {
  const startedAt = machine.now;
  const result = machine.type(command);
  if (result === undefined) return [`halted: ${machine.halted}`];
  const lines = [...printed(result)];
  const seconds = (machine.now - startedAt) / SECOND;
  if (seconds >= 0.01) lines.push(`after ${Number(seconds.toFixed(2))} s`);
  return lines;
}

function get(machine: TestMachine, url: string): readonly string[] {
  const slash = url.indexOf('/');
  const answer = machine.fetch(url.slice(0, slash), `GET ${url.slice(slash)} HTTP/1.0\r\n\r\n`);
  return marked('|', answer.replaceAll('\r', ''));
}
