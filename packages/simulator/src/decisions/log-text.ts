import { ConfigError } from '@quorate/kernel';
import type { Decision, DecisionLog, LogOrigin } from './decision-log.js';

const HEAD = '# quorate decisions 1';
const ENTRY = /^(\S+)#(\d+) (\S+)=(\d+)(?:\/(\d+))?$/;
const FIELD = /^# (\S+) (.*)$/;

/**
 * A log as text: a header of `# name value` lines, then a line per decision.
 *
 *     net/1>2#17 loss=1/2       the 18th question of that stream: `loss`, outcome 1 of 2
 *     net/1>2#22 latency=93110  one without a bound
 */
export function logText(origin: LogOrigin, log: DecisionLog): string {
  const lines = [HEAD, `# scenario ${origin.scenario}`, `# seed ${origin.seed}`];
  if (origin.commit !== null) lines.push(`# commit ${origin.commit}`);
  for (const area of origin.seeded) lines.push(`# seeded ${area}`);
  for (const [name, value] of Object.entries(origin.options)) lines.push(`# option ${name} ${value}`);
  for (const [stream, decisions] of log) {
    for (const decision of decisions) lines.push(decisionText(stream, decision));
  }
  return `${lines.join('\n')}\n`;
}

export function decisionText(stream: string, { counter, kind, n, value }: Decision): string {
  return `${stream}#${counter} ${kind}=${value}${n === 0 ? '' : `/${n}`}`;
}

/** @throws {ConfigError} that names the first line that is none of a log. */
export function parseLogText(text: string): { readonly origin: LogOrigin; readonly log: DecisionLog } {
  const lines = text.split('\n');
  if (lines[0] !== HEAD) throw new ConfigError('line 1', lines[0] ?? '', `"${HEAD}"`);
  const log = new Map<string, Decision[]>();
  const options: Record<string, string> = {};
  const seeded: string[] = [];
  const fields = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line === '') continue;
    const path = `line ${i + 1}`;
    const field = FIELD.exec(line);
    if (field !== null) {
      const [, name = '', value = ''] = field;
      if (name === 'seeded') seeded.push(value);
      else if (name !== 'option') fields.set(name, value);
      else options[value.slice(0, value.indexOf(' '))] = value.slice(value.indexOf(' ') + 1);
      continue;
    }
    const entry = ENTRY.exec(line);
    if (entry === null) throw new ConfigError(path, line, '"stream#counter kind=value/n" or a "# name value" line');
    const [, stream = '', counter, kind = '', value, n] = entry;
    const decisions = log.get(stream) ?? [];
    log.set(stream, decisions);
    const decision: Decision = { counter: Number(counter), kind, n: Number(n ?? 0), value: Number(value) };
    if (decision.counter <= (decisions.at(-1)?.counter ?? -1)) {
      throw new ConfigError(path, String(decision.counter), `a counter above the one before it in ${stream}`);
    }
    decisions.push(decision);
  }
  const scenario = fields.get('scenario');
  const seed = fields.get('seed');
  if (scenario === undefined || seed === undefined)
    throw new ConfigError('header', 'none', '"# scenario" and "# seed"');
  return { origin: { scenario, seed, options, commit: fields.get('commit') ?? null, seeded }, log };
}
