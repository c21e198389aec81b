import { readdirSync, readFileSync } from 'node:fs';
import { parseClusterConf } from '@quorate/cluster-conf';
import { ConfigError, Prng, parseSeed, SECOND, type Stamped } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import {
  fdiskReport,
  finish,
  lvsReport,
  partitionStore,
  pvsReport,
  readPartitionTable,
  scanVolumes,
  storeDevice,
  vgsReport,
} from '@quorate/volumes';
import { describe, expect, it } from 'vitest';
import {
  Browser,
  CLUSTER_CONF,
  Director,
  type DirectorInput,
  formatDisks,
  imageHash,
  plainTopology,
  switchPower,
} from '../src/index.js';
import { Chronicle } from '../src/scenarios/hyperv-blog/chronicle.js';
import { expectedClustat } from '../src/scenarios/hyperv-blog/clustat-text.js';

describe('the power switch', () => {
  const states = { left: 'up', right: 'off', slow: 'booting', still: 'paused' } as const;
  const machines = Object.keys(states);

  it.each([
    [{ action: 'list', host: 'h' }, { reply: { isOk: true, machines } }],
    [{ action: 'status', host: 'h', machine: 'left' }, { reply: { isOk: true, state: 'on' } }],
    [{ action: 'status', host: 'h', machine: 'right' }, { reply: { isOk: true, state: 'off' } }],
    [{ action: 'status', host: 'h', machine: 'slow' }, { reply: { isOk: true, state: 'on' } }],
    [{ action: 'status', host: 'h', machine: 'still' }, { reply: { isOk: true, state: 'on' } }],
    [
      { action: 'off', host: 'h', machine: 'left' },
      { reply: { isOk: true }, command: { kind: 'power-off', machine: 'left' } },
    ],
    [
      { action: 'on', host: 'h', machine: 'right' },
      { reply: { isOk: true }, command: { kind: 'power-on', machine: 'right' } },
    ],
    [{ action: 'off', host: 'h', machine: 'nobody' }, { reply: { isOk: false } }],
  ] as const)('%j', (request, expected) => {
    expect(switchPower(request, machines, (name) => states[name as keyof typeof states])).toEqual(expected);
  });
});

describe('a plain topology', () => {
  it.each([1, 2, 16])('of %d machines has a cluster.conf that a node starts with', (machines) => {
    const topology = plainTopology({ machines });
    expect(parseClusterConf(topology.clusterConf!).conf.nodes.map(({ name }) => name)).toEqual(
      topology.machines.map(({ name }) => name),
    );
  });

  it.each([0, 17, 1.5, Number.NaN])('of %d machines there is none', (machines) => {
    expect(() => plainTopology({ machines })).toThrow(ConfigError);
  });
});

it("the walk-through's cluster.conf is one without a warning", () => {
  expect(parseClusterConf(CLUSTER_CONF).warnings).toEqual([]);
});

it('the same disks are formatted every time, and their hash tells them from others', () => {
  const [first, second, other] = ['my-cluster', 'my-cluster', 'their-cluster'].map((name) =>
    formatDisks(name).map(({ image }) => imageHash(image)),
  );
  expect(first).toEqual(second);
  expect(first![0]).not.toBe(other![0]);
});

it('the disks have the partitions and the volume of the walk-through, each in its place', () => {
  const lines = (text: string) => text.split('\n').map((line) => line.trimEnd());
  const [storage, quorum] = formatDisks('my-cluster').map(({ image }) => image);
  const tables = [storage!, quorum!].map((disk) => finish(readPartitionTable(storeDevice('/dev/sdx', disk))));
  const reports = ['/dev/sdb', '/dev/sdc'].map((path, i) =>
    fdiskReport(path, [storage!, quorum!][i]!.blocks, tables[i]!),
  );
  expect(reports.flatMap((text) => lines(text).filter((line) => line.startsWith('/dev/')))).toEqual([
    '/dev/sdb1               1        3917    31463271   8e  Linux LVM',
    '/dev/sdc1               1         130     1044193+  83  Linux',
  ]);
  const scan = finish(scanVolumes([storeDevice('/dev/sdb1', partitionStore(storage!, tables[0]!.partitions[0]!))]));
  const volumes = [pvsReport(scan), vgsReport(scan.groups), lvsReport(scan.groups)];
  expect(volumes.map((text) => lines(text)[1])).toEqual([
    '  /dev/sdb1 my-vg1 lvm2 a--  30.00g 10.00g',
    '  my-vg1   1   1   0 wz--nc 30.00g 10.00g',
    '  my-store1 my-vg1 -wi------- 20.00g',
  ]);
});

it('the hash of an image is that of its content', () => {
  const image = (writes: readonly (readonly [lba: number, byte: number])[], blocks = 64) => {
    const store = new SparseStore({ blocks });
    for (const [lba, byte] of writes) store.write(lba, new Uint8Array(512).fill(byte));
    return imageHash(store);
  };
  const hash = image([
    [1, 7],
    [40, 8],
  ]);
  expect(
    image([
      [40, 8],
      [1, 6],
      [20, 0],
      [1, 7],
    ]),
  ).toBe(hash);
  const others = [
    image([[1, 7]]),
    image([
      [2, 7],
      [40, 8],
    ]),
    image([
      [1, 7],
      [40, 9],
    ]),
    image(
      [
        [1, 7],
        [40, 8],
      ],
      72,
    ),
  ];
  expect(new Set([hash, ...others]).size).toBe(5);
});

describe('the chronicle of a step', () => {
  let seq = 0;
  const fact = (at: number, kind: string, fields = {}): Stamped => {
    seq += 1;
    return { kind, now: at * SECOND, at: at * SECOND, node: 1, life: 1, seq, ...fields } as Stamped;
  };

  it('takes an outage apart by what ended in it', () => {
    const chronicle = new Chronicle();
    for (const each of [
      fact(1, 'client.request', { isAnswered: true }),
      fact(21, 'totem.configuration', { type: 'regular', left: [], members: [1] }),
      fact(22, 'fenced.fenced', { victim: 2 }),
      fact(23, 'dlm.recovered'),
      fact(24, 'gfs2.journal-recovered', { wasDirty: false }),
      fact(27, 'rg.agent-ended', { action: 'start' }),
      fact(28, 'client.request', { isAnswered: true }),
      fact(28, 'client.outage-ended', { from: 2 * SECOND, failed: 26 }),
      fact(29, 'rg.agent-ended', { action: 'start' }),
    ]) {
      chronicle.hear(each);
    }
    expect(chronicle.phases()).toEqual([
      { name: 'detection', seconds: 19 },
      { name: 'fencing', seconds: 1 },
      { name: 'lock recovery', seconds: 1 },
      { name: 'start', seconds: 4 },
      { name: 'ARP', seconds: 1 },
    ]);
    expect(chronicle.requests()).toEqual({ ok: 2, failed: 0 });
  });

  it('has no phases without an outage, and forgets the step before', () => {
    const chronicle = new Chronicle();
    chronicle.hear(fact(28, 'client.outage-ended', { from: 0, failed: 1 }));
    chronicle.begin(30 * SECOND);
    expect([chronicle.phases(), chronicle.outage()]).toEqual([[], undefined]);
  });
});

it("clustat is expected in the original's form", () => {
  const text = expectedClustat({
    clusterName: 'my-cluster',
    wallSec: 1_446_154_200,
    local: 'my-vm2',
    members: [
      { name: 'my-vm1', isOnline: false },
      { name: 'my-vm2', isOnline: true },
    ],
    service: 'my_service_group',
    owner: 'my-vm2',
  });
  expect(text.split('\n')).toEqual([
    'Cluster Status for my-cluster @ Thu Oct 29 21:30:00 2015',
    'Member Status: Quorate',
    '',
    ' Member Name                             ID   Status',
    ' ------ ----                             ---- ------',
    ' my-vm1                                      1 Offline',
    ' my-vm2                                      2 Online, Local, rgmanager',
    ' /dev/block/8:33                             0 Online, Quorum Disk',
    '',
    ' Service Name                   Owner (Last)                   State         ',
    ' ------- ----                   ----- ------                   -----         ',
    ' service:my_service_group       my-vm2                         started       ',
    '',
  ]);
});

describe('the director', () => {
  it.each<[string, DirectorInput | undefined, unknown]>([
    ['a command that is answered', { kind: 'replied', id: 1, result: { status: 3, output: '', errors: '' } }, 3],
    ['a machine that went down', { kind: 'replied', id: 1, result: undefined }, 'down'],
    ['an answer to nobody', { kind: 'replied', id: 9, result: undefined }, 'waits'],
  ])('%s', (_, input, expected) => {
    let result: unknown = 'waits';
    const director = new Director(
      {
        name: 't',
        title: 't',
        kinds: [],
        *script(lab) {
          const done = yield* lab.exec('left', 'x');
          return done?.status ?? 'down';
        },
      },
      ['left'],
    );
    const emit = (output: { readonly kind: string; readonly result?: unknown }): void => {
      if (output.kind === 'ended') result = output.result;
    };
    director.step(0, { kind: 'start' }, emit);
    if (input !== undefined) director.step(1, input, emit);
    expect(result).toBe(expected);
  });

  it('a fact of a kind that the scenario does not name is not heard', () => {
    const heard: string[] = [];
    const director = new Director(
      {
        name: 't',
        title: 't',
        kinds: ['a'],
        *script(lab) {
          const fact = yield* lab.waitFor(() => true, SECOND);
          heard.push(fact?.kind ?? 'none');
        },
        onFact: (fact) => heard.push(`on ${fact.kind}`),
      },
      [],
    );
    const stamp = { now: 0, at: 0, node: 1, life: 1, seq: 1 };
    director.step(0, { kind: 'start' }, () => {});
    director.step(0, { kind: 'fact', fact: { kind: 'b', ...stamp } }, () => {});
    director.step(SECOND, { kind: 'wake' }, () => {});
    expect([director.wants('a'), director.wants('b'), heard]).toEqual([true, false, ['none']]);
  });
});

it('a browser that nobody answers gives each press up at the next one, until the address counts as unreachable', () => {
  const outcomes: string[] = [];
  const browser = new Browser({
    stack: {
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', addresses: ['10.0.0.9/24'] }],
      prng: Prng.derive(parseSeed('1')!, 'browser'),
    },
    address: '10.0.0.1',
    path: '/',
    interval: SECOND,
    observe: (fact) => outcomes.push(fact.kind === 'client.request' ? fact.outcome : fact.kind),
  });
  browser.step(0, { kind: 'carrier', isUp: true }, () => {});
  for (let due = browser.deadline(); due <= 3.5 * SECOND; due = browser.deadline())
    browser.step(due, { kind: 'wake' }, () => {});
  expect(outcomes).toEqual(['given up', 'given up', 'EHOSTUNREACH']);
});

/** Texts in the sources that name what the scenario is about are in one place each. */
it('every scenario of the folder is exported', () => {
  const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8');
  for (const name of readdirSync(new URL('../src/scenarios', import.meta.url))) {
    expect(index).toContain(`./scenarios/${name.replace(/\.ts$/, '')}`);
  }
});
