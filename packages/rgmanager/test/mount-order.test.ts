import { SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { simulate, type WhatIfEvent } from '../src/what-if/index.js';
import { parseConf } from './parse-conf.js';

const fs = (name: string, mountPoint: string, device = `/dev/${name}`, inner = ''): string =>
  `<fs name="${name}" device="${device}" mountpoint="${mountPoint}">${inner}</fs>`;

/** The second in which each ends to start, or to stop when the service is disabled; agents take one. */
function endsOf(resources: string, actions: 'start' | 'stop', isParallel = true): Readonly<Record<string, number>> {
  const conf = parseConf(
    `<cluster name="c"><clusternodes><clusternode name="node1" nodeid="1"/></clusternodes>
    <rm><service name="s">${resources}</service></rm></cluster>`,
  );
  const disable: WhatIfEvent = { kind: 'service', operation: 'disable', service: 'service:s' };
  const agents = () => ({ takes: SECOND, status: 0 });
  const [start, stop] = simulate(conf, [disable], { agents, policy: { isParallel } });
  const { steps } = actions === 'start' ? start! : stop!;
  const ends = steps.flatMap(({ kind, text, after }): [string, number][] => {
    const [, name] = kind === 'agent' ? (/^(?:start|stop) fs:(\S+)$/.exec(text) ?? []) : [];
    return name === undefined ? [] : [[name, Math.floor(after / SECOND)]];
  });
  const first = Math.min(...ends.map(([, end]) => end));
  return Object.fromEntries(ends.map(([name, end]) => [name, end - first]));
}

const NESTED = fs('www', '/data/www') + fs('data', '/data/') + fs('logs', '/logs') + fs('deep', '/data//www/a');

it('file systems of one level are mounted at once, but within each other from the outside in', () => {
  expect(endsOf(NESTED, 'start')).toEqual({ data: 0, logs: 0, www: 1, deep: 2 });
  expect(endsOf(NESTED, 'stop')).toEqual({ deep: 0, www: 1, logs: 2, data: 2 });
});

it('one after the other they keep the order of the file', () => {
  expect(endsOf(NESTED, 'start', false)).toEqual({ www: 0, data: 1, logs: 2, deep: 3 });
});

it('/data2 does not lie in /data', () => {
  expect(endsOf(fs('data', '/data') + fs('data2', '/data2'), 'start')).toEqual({ data: 0, data2: 0 });
});

it('what is below a file system counts, and so does a device that is a file', () => {
  const below = fs('a', '/a', '/dev/a', fs('inner', '/b/inner')) + fs('b', '/b');
  expect(endsOf(below, 'start')).toEqual({ b: 0, a: 1, inner: 2 });
  expect(endsOf(fs('image', '/mnt', '/images/disk') + fs('images', '/images'), 'start')).toEqual({
    images: 0,
    image: 1,
  });
});

it('where each lies in the other, or both are one, the file has the last word', () => {
  const crossed = fs('a', '/a', '/dev/a', fs('ab', '/b/x')) + fs('b', '/b', '/dev/b', fs('ba', '/a/x'));
  expect(endsOf(crossed, 'start')).toEqual({ a: 0, ab: 1, b: 2, ba: 3 });
  expect(endsOf(fs('one', '/m') + fs('two', '/m'), 'start')).toMatchObject({ one: 0 });
});
