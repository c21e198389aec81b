import { expect, it } from 'vitest';
import { corosync31 } from '../src/index.js';
import { recorded } from './recorded.js';
import { Replay } from './replay.js';

it.each([
  // The last node's leave and the new ring of the other two are in the second recording. Nodes 2 to 5 of the third heard
  // others before their own first join, which here is impossible.
  ['single-node-start', 1, 1, 3000],
  ['three-node-form-idle-leave', 1, 3, 3650],
  ['three-node-form-idle-leave', 2, 3, 3650],
  ['three-node-form-idle-leave', 3, 3, 3650],
  ['five-node-form', 1, 5, 4950],
] as const)('in %s the machine says what corosync said as node %i', (name, me, nodes, tokenMs) => {
  const replay = new Replay(recorded(name), me, nodes, corosync31(nodes, { tokenMs, tokenCoefficientMs: 0 }));
  replay.run();
  expect(replay.said).toEqual(replay.expected);
});
