import { concatBytes, type Nanos, type Stamped } from '@quorate/kernel';
import { RunTrace, TraceFile } from '../src/index.js';

const NOTHING = new Uint8Array(0);
const SECOND = 1e9;
/** As long as an ARP request, with its EtherType. */
const FRAME = Uint8Array.from({ length: 42 }, (_, i) => (i === 12 ? 8 : i === 13 ? 6 : i));

/** Two machines, of which the one that serves dies: the other fences it and serves. Told in seconds. */
export function failover(): TraceFile {
  const parts: Uint8Array[] = [];
  const header = {
    seed: '0000000000000001',
    scenario: 'failover',
    nodes: [
      { id: 1, name: 'node1' },
      { id: 2, name: 'node2' },
    ],
  };
  const trace = new RunTrace(header, (bytes) => parts.push(bytes.slice()), { payloads: true });
  const fact = (at: Nanos, node: number, kind: string, fields: object): void =>
    trace.fact({ kind, now: at, node, life: 1, seq: 1, at, ...fields } as Stamped);
  const s = (seconds: number): Nanos => seconds * SECOND;
  const agent = { run: 1, service: 'service:web', resource: 'ip:10.0.0.9; a#1', action: 'start' };

  trace.phase(0, 'boot', 'begins', 'both are switched on');
  for (const node of [1, 2]) fact(0, node, 'node.state', { state: 'up' });
  for (const node of [1, 2]) fact(s(0.5), node, 'totem.state', { state: 'operational' });
  fact(s(0.8), 1, 'rg.service', { service: 'service:web', state: 112, owner: 1 });
  fact(s(1.1), 0, 'client.request', { number: 1, isAnswered: true, outcome: 'HTTP/1.0 200 "OK"', sentAt: s(1) });
  trace.phase(s(2), 'boot', 'ends', '');
  trace.event(s(2), 1, 17, 2, 0, 0, NOTHING, NOTHING);
  trace.sends(FRAME);
  fact(s(2), 0, 'network.sent', { id: 1, from: 2, to: 1, sizeBytes: FRAME.length });
  trace.event(s(2) + 150_000, 2, 9, 1, 1, FRAME.length, FRAME, NOTHING);
  trace.phase(s(2.5), 'crash', 'begins', 'node1 loses its power');
  fact(s(3), 1, 'node.state', { state: 'off' });
  trace.event(s(3.5), 3, 17, 2, 0, 0, NOTHING, NOTHING);
  trace.sends(FRAME);
  fact(s(3.5), 0, 'network.sent', { id: 2, from: 2, to: 1, sizeBytes: FRAME.length });
  fact(s(3.5) + 90_000, 0, 'network.dropped', { id: 2, from: 2, to: 1, reason: 'receiver-down' });
  fact(s(5), 0, 'client.request', { number: 2, isAnswered: false, outcome: 'given up', sentAt: s(4) });
  fact(s(5), 2, 'totem.state', { state: 'gather' });
  fact(s(6), 2, 'fenced.victim', { victim: 1, isInit: false });
  fact(s(8), 2, 'fenced.fenced', { victim: 1, how: 'agent' });
  fact(s(9), 2, 'rg.agent-started', agent);
  fact(s(10), 2, 'rg.agent-ended', { ...agent, status: 0 });
  fact(s(10), 2, 'rg.service', { service: 'service:web', state: 112, owner: 2 });
  fact(s(11), 0, 'client.outage-ended', { from: s(4), failed: 6 });
  trace.phase(s(12), 'crash', 'ends', '');
  trace.end('a49912c61528d96c');
  return new TraceFile(concatBytes(...parts));
}
