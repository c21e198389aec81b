import { expect, it } from 'vitest';
import { type Span, spansOf, type TraceRecord } from '../src/index.js';
import { failover } from './failover-trace.js';

function lineOf({ category, node, track, name, from, to, isOpen }: Span): string {
  const stretch = `${from / 1e9} ${isOpen ? 'open' : to / 1e9}`;
  return `${stretch} ${category} ${node} ${track}${name === track ? '' : `: ${name}`}`;
}

it('a failover in spans, in the order in which they end', () => {
  expect(Array.from(spansOf(failover().records()), lineOf)).toEqual([
    '1 1.1 request 0 F5: get 1: HTTP/1.0 200 "OK"',
    '0 2 step 255 steps: boot: both are switched on',
    // What a machine did ends with its power, and the service with it.
    '0 3 state 1 machine: up',
    '0.5 3 state 1 totem: operational',
    '0.8 3 service 1 service:web',
    '4 5 request 0 F5: get 2: given up',
    '0.5 5 state 2 totem: operational',
    '6 8 fencing 1 fenced: to be fenced',
    '9 10 agent 2 service:web: start ip:10.0.0.9; a#1',
    '4 11 outage 0 outage: no page: 7.0 s',
    // The phases add up to the outage.
    '4 8 phase 0 phases: fencing',
    '8 10 phase 0 phases: start',
    '10 11 phase 0 phases: ARP',
    '2.5 12 step 255 steps: crash: node1 loses its power',
    '0 open state 2 machine: up',
    '5 open state 2 totem: gather',
    '10 open service 2 service:web',
  ]);
});

it('nobody is to be fenced any more when all who said so are down', () => {
  const fence = (time: number, node: number, what: string): TraceRecord => {
    return { time: time * 1e9, seq: 0, node, kind: 'fence', fields: { victim: 3, what, how: '' } };
  };
  const off = (time: number, node: number): TraceRecord => {
    return { time: time * 1e9, seq: 0, node, kind: 'node.state', fields: { state: 'off', life: 1 } };
  };
  const records = [fence(1, 1, 'chosen'), fence(2, 2, 'chosen'), off(3, 3), off(4, 1), off(5, 2)];
  expect(Array.from(spansOf(records), lineOf)).toEqual(['1 5 fencing 3 fenced: to be fenced']);
});

it('a fault lasts until it is ended, each by itself', () => {
  const fault = (time: number, kind: string, text: string): TraceRecord => {
    return { time: time * 1e9, seq: 0, node: 255, kind, fields: { family: 'net.loss', text } };
  };
  const records = [
    fault(1, 'nemesis.start', 'to node1'),
    fault(2, 'nemesis.start', 'to node2'),
    fault(3, 'nemesis.end', 'to node1'),
  ];
  expect(Array.from(spansOf(records), lineOf)).toEqual([
    '1 3 fault 255 net.loss: net.loss to node1',
    '2 open fault 255 net.loss: net.loss to node2',
  ]);
});
