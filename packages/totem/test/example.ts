import { SECOND } from '@quorate/kernel';
import { Cpg, type CpgInput } from '../src/cpg/index.js';
import { corosync31, Totem, type TotemInput } from '../src/index.js';

export function example(): string[] {
  const lines: string[] = [];
  const nodes = [1, 2, 3].map((id) => ({ id }));
  const timings = corosync31(nodes.length);
  const totems = nodes.map(({ id }) => new Totem({ nodeId: id, nodes, era: 'modern', timings, ringSeq: 0 }));
  const cpgs = nodes.map(({ id }) => new Cpg({ nodeId: id }));
  const alive = new Set([1, 2, 3]);
  const queue: { to: number; input: TotemInput }[] = nodes.map(({ id }) => ({ to: id, input: { kind: 'network-up' } }));
  let now = 0;

  const cpg = (id: number, input: CpgInput): void =>
    cpgs[id - 1]!.step(now, input, (output) => {
      if (output.kind === 'cast') queue.push({ to: id, input: { ...output, payload: output.payload.slice() } });
      if (output.kind === 'sync-done') queue.push({ to: id, input: output });
      if (output.kind === 'confchg') lines.push(`${id}: ${output.group} is ${output.members.map(({ node }) => node)}`);
      if (output.kind === 'message') lines.push(`${id}: ${String.fromCharCode(...output.payload)}`);
    });
  const totem = (id: number, input: TotemInput): void =>
    totems[id - 1]!.step(now, input, (output) => {
      const to = output.kind === 'unicast' ? [output.to] : [1, 2, 3].filter((other) => other !== id);
      if ('bytes' in output)
        for (const other of to) queue.push({ to: other, input: { kind: 'datagram', bytes: output.bytes.slice() } });
      if (output.kind === 'configuration' || output.kind === 'deliver') cpg(id, output);
    });
  const run = (until: number): void => {
    for (; now <= until; now = Math.min(...[...alive].map((id) => totems[id - 1]!.deadline()))) {
      for (const id of alive) if (totems[id - 1]!.deadline() <= now) totem(id, { kind: 'wake' });
      for (let next = queue.shift(); next; next = queue.shift()) if (alive.has(next.to)) totem(next.to, next.input);
    }
  };

  run(1 * SECOND);
  for (const id of [1, 3]) cpg(id, { kind: 'join', group: 'demo', pid: 100 });
  run(2 * SECOND);
  for (const id of [3, 1]) cpg(id, { kind: 'mcast', group: 'demo', pid: 100, payload: Uint8Array.of(0x40 + id) });
  run(3 * SECOND);
  alive.delete(3);
  run(15 * SECOND);
  return lines;
}
