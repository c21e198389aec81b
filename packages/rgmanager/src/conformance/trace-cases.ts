import { SECOND } from '@quorate/kernel';
import { RecordedCluster } from './recorded-cluster.js';
import { caseNames, type RecordedCase, type RecordedFiles, recordedAgents, textDifferences } from './recorded-files.js';

// Histories of whole clusters. Of the recorded lines those count that the recordings' README names.

/** Lines in which the recordings tell more than happened: they explain. */
const EXPLANATION = /^ {2}n\d+ (log (debug|info)|queue|send|reply|done|forward)\b|^Node /;
const LOG = /^ {2}n(\d+) log /;
const RECORD = /^ {2}(service|vm):/;

/** One command of a script, and what came of it. */
function perform(line: string, cluster: RecordedCluster): readonly string[] {
  const [command, ...words] = line.split(' ');
  const number = (i: number): number => Number(words[i] ?? 0);
  switch (command) {
    case 'set':
      cluster.set(words[0]!, words[1]!, number(2), number(3), number(4), Number(words[5] ?? 1));
      return [];
    case 'down':
      cluster.down(number(0));
      return cluster.takeTold();
    case 'up':
      cluster.up(number(0));
      return cluster.takeTold();
    case 'eval':
      cluster.evaluate(number(0), number(1), number(2) === 1);
      return cluster.takeTold();
    case 'req':
      cluster.request(number(0), words[1]!, words[2]!, number(3));
      return cluster.takeTold();
    case 'fail':
      cluster.fail({ node: number(0), action: words[1]!, resource: words[2]!, status: Number(words[3] ?? 1) });
      return [];
    case 'heal':
      cluster.heal();
      return [];
    case 'clock':
      cluster.cluster.run(number(0) * SECOND);
      return [];
    case 'lock':
    case 'unlock':
      cluster.lock(command === 'lock');
      cluster.takeTold();
      return [];
    case 'show':
      return cluster.show();
    default:
      throw new RangeError(`found the command ${line}, expected one of the recordings' README`);
  }
}

/** Neighbouring records in the order of their names: the recordings have them in that of the script. */
function sortedRecords(lines: readonly string[]): readonly string[] {
  const sorted: string[] = [];
  for (let i = 0; i < lines.length; ) {
    let end = i + 1;
    while (RECORD.test(lines[i]!) && RECORD.test(lines[end] ?? '')) end += 1;
    sorted.push(...lines.slice(i, end).sort());
    i = end;
  }
  return sorted;
}

/** Where nodes work at the same time, the recordings put one before the other: logs of each node by themselves. */
function comparable(lines: readonly string[]): string {
  const happened = sortedRecords(lines.filter((line) => !LOG.test(line)));
  const logs = lines.filter((line) => LOG.test(line));
  const nodes = [...new Set(logs.map((line) => Number(LOG.exec(line)![1])))].sort((a, b) => a - b);
  return [...happened, ...nodes.flatMap((node) => logs.filter((line) => LOG.exec(line)![1] === String(node)))].join(
    '\n',
  );
}

function play(files: RecordedFiles, name: string): readonly string[] {
  const [online = '', ...script] = files.text(`trace/${name}.script`).trimEnd().split('\n');
  const nodes = [...(online.split(' ')[1] ?? '')].map(Number);
  const agents = recordedAgents(files);
  const cluster = new RecordedCluster(files.element(`trace/${name}.conf`), nodes, agents);
  return [`> ${online}`, ...script.flatMap((line) => [`> ${line}`, ...perform(line, cluster)])];
}

export function traceCases(files: RecordedFiles): readonly RecordedCase[] {
  return caseNames(files, 'trace', '.script').map((name) => ({
    name: `trace/${name}`,
    differences: () => {
      const recorded = files.text(`trace/${name}.expected`).trimEnd().split('\n');
      const counting = recorded.filter((line) => !EXPLANATION.test(line));
      return textDifferences(comparable(play(files, name)), comparable(counting));
    },
  }));
}
