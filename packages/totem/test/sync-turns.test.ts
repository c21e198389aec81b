import { expect, it } from 'vitest';
import { Cpg, type CpgInput, type CpgOutput, Service } from '../src/cpg/index.js';

/** A node alone in its ring: what it casts comes back to it at once, and everything it says is kept in order. */
function aloneWith(services: readonly number[]): string[] {
  const said: string[] = [];
  const cpg = new Cpg({ nodeId: 1, services });
  const ring = { representative: 1, seq: 5 };
  const inputs: CpgInput[] = [
    { kind: 'configuration', type: 'transitional', ring, members: [], joined: [], left: [] },
    { kind: 'configuration', type: 'regular', ring, members: [1], joined: [1], left: [] },
  ];
  const onOutput = (output: CpgOutput): void => {
    if (output.kind === 'cast') {
      said.push(`cast ${output.group}`);
      inputs.push({ kind: 'deliver', group: output.group, from: 1, payload: output.payload.slice() });
    } else if (output.kind !== 'log') {
      said.push('service' in output ? `${output.kind} ${output.service}` : output.kind);
    }
  };
  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) cpg.step(0, input, onOutput);
  return said;
}

it('each service of the node has its turn, in the order of their ids, its barrier behind what it casts', () => {
  expect(aloneWith([Service.votequorum, Service.cmap, Service.cpg])).toEqual([
    'cast sync',
    'sync-process 0',
    'cast sync',
    'sync-activate 0',
    'cast a',
    'cast sync',
    'sync-process 5',
    'cast sync',
    'sync-activate 5',
    'sync-done',
  ]);
});

it('process groups alone ask nobody', () => {
  expect(aloneWith([Service.cpg])).toEqual(['cast sync', 'cast a', 'cast sync', 'sync-done']);
});
