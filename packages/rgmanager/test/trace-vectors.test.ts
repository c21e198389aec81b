import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { VectorCluster } from './vector-cluster.js';
import { confVector, vector, vectorNames } from './vectors.js';

/** Lines in which the recordings tell more than happened: they explain. */
const EXPLANATION = /^ {2}n\d (log (debug|info)|queue|send|reply|done|forward)\b|^Node /;

/** One command of a script, and what came of it. */
function perform(line: string, vectorCluster: VectorCluster): readonly string[] {
  const [command, ...words] = line.split(' ');
  const number = (i: number): number => Number(words[i] ?? 0);
  switch (command) {
    case 'set':
      vectorCluster.set(words[0]!, words[1]!, number(2), number(3), number(4), Number(words[5] ?? 1));
      return [];
    case 'down':
      vectorCluster.down(number(0));
      return vectorCluster.takeTold();
    case 'up':
      vectorCluster.up(number(0));
      return vectorCluster.takeTold();
    case 'req':
      vectorCluster.request(number(0), words[1]!, words[2]!, number(3));
      return vectorCluster.takeTold();
    case 'fail':
      vectorCluster.fail({ node: number(0), action: words[1]!, resource: words[2]!, status: Number(words[3] ?? 1) });
      return [];
    case 'heal':
      vectorCluster.heal();
      return [];
    case 'clock':
      vectorCluster.cluster.run(number(0) * SECOND);
      return [];
    case 'lock':
    case 'unlock':
      vectorCluster.lock(command === 'lock');
      vectorCluster.takeTold();
      return [];
    case 'show':
      return [...vectorCluster.show()].sort();
    default:
      throw new Error(`unknown command ${line}`);
  }
}

function play(name: string): readonly string[] {
  const [online, ...script] = vector(`trace/${name}.script`).trimEnd().split('\n');
  const nodes = [...online!.split(' ')[1]!].map(Number);
  const vectorCluster = new VectorCluster(confVector(`trace/${name}.conf`), nodes);
  return [`> ${online}`, ...script.flatMap((line) => [`> ${line}`, ...perform(line, vectorCluster)])];
}

/** Neighbouring records in the order of their names: the recordings have them in that of the script. */
function sortedRecords(lines: readonly string[]): readonly string[] {
  const isRecord = (line: string | undefined): boolean => /^ {2}(service|vm):/.test(line ?? '');
  const sorted: string[] = [];
  for (let i = 0; i < lines.length; ) {
    let end = i + 1;
    while (isRecord(lines[i]) && isRecord(lines[end])) end += 1;
    sorted.push(...lines.slice(i, end).sort());
    i = end;
  }
  return sorted;
}

function recorded(name: string): readonly string[] {
  const lines = vector(`trace/${name}.expected`).trimEnd().split('\n');
  return sortedRecords(lines.filter((line) => !EXPLANATION.test(line)));
}

/** Where nodes work at the same time, the recordings put one before the other: logs of each node by themselves. */
function comparable(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const byNode = (node: number): readonly string[] => lines.filter((line) => line.startsWith(`  n${node} log`));
  return {
    happened: lines.filter((line) => !/^ {2}n\d log/.test(line)),
    ...Object.fromEntries([1, 2, 3, 4, 5].map((node) => [`log of node ${node}`, byNode(node)])),
  };
}

describe('whole clusters do what the original did', () => {
  // A single node cannot be made to evaluate by itself.
  const cases = vectorNames('trace', '.script').filter((name) => !vector(`trace/${name}.script`).includes('\neval '));
  it.each(cases)('%s', (name) => {
    expect(comparable(play(name))).toEqual(comparable(recorded(name)));
  });
});
