import { expect, it } from 'vitest';
import { type Span, spansOf } from '../src/index.js';
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
