import { Checker, type Fact, SECOND, type Stamped } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { invariants, Result, type RgFact, ServiceState } from '../src/index.js';

type Told = RgFact extends infer F ? (F extends RgFact ? Omit<F, 'now'> : never) : never;

/** Told by a node, with what others tell of it. */
type Line = readonly [node: number, told: Told | (Omit<Fact, 'now'> & Readonly<Record<string, unknown>>)];

const SERVICE = 'service:web';
const RESOURCE = 'script:s';

const tree = (resource: string) =>
  [SERVICE, resource].map((name, i) => ({
    path: i === 0 ? '0' : '0.0',
    resource: name,
    type: 'script',
    startLevel: 0,
    stopLevel: 0,
    isSingle: name.startsWith('ip:'),
    rank: -1,
  }));
const configured = (node: number, resource = RESOURCE): Line => [
  node,
  {
    kind: 'rg.configured',
    services: [{ service: SERVICE, domain: '', isExclusive: false, dependsOn: '', tree: tree(resource) }],
    domains: [],
  },
];
const begins = (node: number, action: string, resource = RESOURCE, service = SERVICE): Line => [
  node,
  { kind: 'rg.agent-started', run: 1, service, path: '0.0', resource, action, depth: 0 },
];
const ends = (node: number, action: string, status = 0, resource = RESOURCE): Line => [
  node,
  { kind: 'rg.agent-ended', run: 1, service: SERVICE, path: '0.0', resource, action, status },
];
const record = (node: number, state: number, owner = node, flags = 0): Line => [
  node,
  { kind: 'rg.service', service: SERVICE, state, owner, lastOwner: 0, restarts: 0, flags },
];
const asks = (node: number, request: string): Line => [
  node,
  { kind: 'rg.request-started', service: SERVICE, request, target: 0, isAnswered: false },
];
const answers = (node: number, request: string, code: number): Line => [
  node,
  { kind: 'rg.request-ended', service: SERVICE, request, code },
];
const members = (node: number, ids: readonly number[], isQuorate = true): Line => [
  node,
  { kind: 'rg.members', members: ids, isQuorate },
];
const standby = (node: number, nodes: readonly number[]): Line => [
  node,
  { kind: 'rg.members', members: [1, 2], isQuorate: true, standby: nodes },
];
/** It stands in the tree twice. */
const twice = (node: number): Line => [
  node,
  {
    kind: 'rg.configured',
    services: [
      {
        ...{ service: SERVICE, domain: '', isExclusive: false, dependsOn: '' },
        tree: [
          ...tree(RESOURCE),
          ...tree(RESOURCE)
            .slice(1)
            .map((each) => ({ ...each, path: '0.1' })),
        ],
      },
    ],
    domains: [],
  },
];
const second = (node: number, action: string): Line => [
  node,
  { kind: 'rg.agent-ended', run: 1, service: SERVICE, path: '0.1', resource: RESOURCE, action, status: 0 },
];
const asksForLock = (node: number): Line => [node, { kind: 'rg.lock', event: 'asked', name: SERVICE }];
const paused = (node: number): Line => [node, { kind: 'node.state', state: 'paused' }];
const off = (node: number): Line => [node, { kind: 'node.state', state: 'off' }];
const booting = (node: number): Line => [node, { kind: 'node.state', state: 'booting' }];
const preempted = (node: number): Line => [node, { kind: 'scsi.reservation-changed', preempted: [node] }];
const locked = (isLocked: boolean): Line => [1, { kind: 'rg.lockdown', isLocked }];

const { STARTING, STARTED, STOPPING, RECOVER, STOPPED } = ServiceState;
const started = (node: number): Line[] => [
  members(node, [1, 2]),
  configured(node),
  ...[begins(node, 'start', SERVICE), ends(node, 'start', 0, SERVICE), begins(node, 'start'), ends(node, 'start')],
];

/** What of these rules is violated or counted in a history after which nothing happens for two minutes. */
function judge(history: readonly Line[]): string[] {
  const checker = new Checker(invariants.filter(({ id }) => id.startsWith('rgmanager.')));
  history.forEach(([node, told], i) => {
    const at = (i + 1) * SECOND;
    checker.observe({ ...told, now: at, at, node, life: 1, seq: i } as Stamped);
  });
  for (const quiet of [20, 120]) checker.tick((history.length + quiet) * SECOND);
  return [
    ...checker.violations.map(({ invariant, message }) => `${invariant.replace('rgmanager.', '')}: ${message}`),
    ...checker.counts.keys(),
  ];
}

const TWICE = `R3: ${RESOURCE} of ${SERVICE} starts on node 2, and runs on node 1`;

it.each<[string, readonly Line[], string[]]>([
  ['R3: moved in order', [begins(1, 'start'), ends(1, 'stop'), begins(2, 'start')], []],
  ['R3: beside a start', [begins(1, 'start'), begins(2, 'start')], [TWICE]],
  ['R3: beside a stop', [...started(1), begins(1, 'stop'), begins(2, 'start')], [TWICE]],
  ['R3: beside a node that is off', [begins(1, 'start'), off(1), begins(2, 'start')], []],
  ['R3: beside what did not stop', [begins(1, 'start'), ends(1, 'stop', 1), begins(2, 'start')], ['svc-left-behind']],
  ['R3: beside a fenced node', [begins(1, 'start'), preempted(1), begins(2, 'start')], ['svc-on-fenced']],
  // Service chaos, seed 0x1aa: both had quorum for a moment, and the one that was fenced in it went on with a start.
  ['R3: on a fenced node', [begins(1, 'start'), preempted(2), begins(2, 'start')], ['svc-on-fenced']],
  [
    'R3: beside a node that was fenced while it was off',
    [off(1), preempted(1), booting(1), begins(1, 'start'), begins(2, 'start')],
    [TWICE],
  ],
  [
    'R3: an address, of another service',
    [configured(1, 'ip:a'), begins(1, 'start', 'ip:a'), begins(2, 'start', 'ip:a', 'service:mail')],
    [`R3: ip:a of service:mail starts on node 2, and runs on node 1 for ${SERVICE}`],
  ],
  [
    'R3: an address that has moved to another service',
    [
      ...[configured(1, 'ip:a'), begins(1, 'start', 'ip:a'), ends(1, 'stop', 0, 'ip:a')],
      begins(2, 'start', 'ip:a', 'service:mail'),
    ],
    [],
  ],
  ['R3: what each service may have', [begins(1, 'start'), begins(2, 'start', RESOURCE, 'service:mail')], []],
  [
    'R3: beside what was left frozen',
    [record(1, STOPPED, 0, 1), begins(1, 'start'), [1, { kind: 'rg.exited' }], begins(2, 'start')],
    ['svc-left-frozen'],
  ],
  ['R4: started', [members(1, [1, 2]), ...started(1), record(1, STARTED)], []],
  [
    'R4: recovering',
    [members(1, [1, 2]), record(1, RECOVER, 0)],
    [`R4: ${SERVICE} is recovering, and nobody does anything about it`],
  ],
  ['R4: being started', [members(1, [1]), asks(1, 'start'), record(1, STARTING)], []],
  [
    'R4: with a dead owner',
    [members(1, [1]), record(2, STARTED), off(2)],
    [`R4: ${SERVICE} is started, owned by node 2, which is gone, and nobody does anything about it`],
  ],
  ['R4: with a dead owner, locked', [members(1, [1]), record(2, STARTED), locked(true), off(2)], ['svc-left-alone']],
  ['R4: with a stop without an end', [members(1, [1]), record(1, STOPPING)], ['svc-left-stopping']],
  ['R6: as configured', [...started(1), record(1, STARTED)], []],
  [
    'R6: with what was before',
    [...started(1), record(1, STARTED), configured(1, 'script:t'), ends(1, 'start', 0, 'script:t')],
    [`R6: node 1: ${SERVICE} has settled, and ${RESOURCE} runs, which is not in it`],
  ],
  [
    'R6: without what is new',
    [...started(1), record(1, STARTED), configured(1, 'script:t'), ends(1, 'stop')],
    [`R6: node 1: ${SERVICE} has settled, and script:t does not run`],
  ],
  ['R6: with what was given up', [...started(1), ends(1, 'stop'), record(1, STARTED, 1, 2)], []],
  ['R6: with what did not start', [...started(1), ends(1, 'start', 1), record(1, STARTED)], []],
  ['R6: without quorum', [...started(1), record(1, STARTED), members(1, [], false), ends(1, 'stop')], []],
  [
    'R6: with quorum again',
    [...started(1), record(1, STARTED), members(1, [], false), ends(1, 'stop'), members(1, [1])],
    [`R6: node 1: ${SERVICE} has settled, and ${RESOURCE} does not run`],
  ],
  [
    'R6: with quorum again, and a lock that the dead have',
    [...started(1), record(1, STARTED), members(1, [], false), ends(1, 'stop'), members(1, [1]), asksForLock(1)],
    [],
  ],
  ['R6: migrated', [members(1, [1, 2]), configured(1, SERVICE), record(2, STARTED, 1)], []],
  [
    'R6: frozen by another node',
    [...started(1), record(1, STARTED), record(2, STARTED, 1, 1), ends(1, 'stop', 0, SERVICE)],
    [`R6: node 1: ${SERVICE} has settled, and ${SERVICE} does not run`],
  ],
  // Storm 0x1b6: a relocation was not recorded for want of quorum, so the service was marked failed while it ran.
  [
    'R6: with what was left behind when it had failed',
    [
      ...started(1),
      record(1, STARTED),
      record(1, ServiceState.FAILED, 0),
      configured(1, 'script:t'),
      ends(1, 'start', 0, 'script:t'),
      record(1, STARTED),
    ],
    ['svc-left-behind'],
  ],
  [
    'R6: frozen, and changed by a new configuration',
    [...started(1), record(1, STARTED, 1, 1), ends(1, 'stop'), configured(1)],
    ['svc-changed-frozen'],
  ],
  ['R6: on the way out', [...started(1), record(1, STARTED), [1, { kind: 'rg.stopping' }], ends(1, 'stop')], []],
  ['R6: standing still', [...started(1), record(1, STARTED), ends(1, 'stop'), paused(1)], []],
  [
    'R6: a resource that stood there twice, and was taken out once',
    [twice(1), ...started(1).slice(2), second(1, 'start'), record(1, STARTED), ends(1, 'stop'), configured(1)],
    [],
  ],
  [
    'R6: a resource that stands there twice, and is stopped in both places',
    [
      ...[twice(1), members(1, [1, 2]), ...started(1).slice(2), second(1, 'start'), record(1, STARTED)],
      ...[ends(1, 'stop'), second(1, 'stop')],
    ],
    [`R6: node 1: ${SERVICE} has settled, and ${RESOURCE} does not run`],
  ],
  [
    'R6: a resource that stood there twice, and is stopped where it is left',
    [
      ...[twice(1), members(1, [1, 2]), ...started(1).slice(2), second(1, 'start'), record(1, STARTED)],
      ...[ends(1, 'stop'), configured(1), ends(1, 'stop')],
    ],
    [`R6: node 1: ${SERVICE} has settled, and ${RESOURCE} does not run`],
  ],
  [
    'B1: in standby',
    [...started(1), record(1, STARTED), standby(1, [1])],
    [`B1: ${SERVICE} has settled on node 1, which is in standby`],
  ],
  // Service chaos, seed 0x67e.
  [
    'B1: a new configuration is without the service',
    [...started(1), record(1, STARTED), [1, { kind: 'rg.configured', services: [], domains: [] }], standby(1, [1])],
    [],
  ],
  ['B1: another node is in standby', [...started(1), record(1, STARTED), standby(1, [2])], []],
  ['B1: stopped there', [...started(1), record(1, STARTED), standby(1, [1]), record(1, STOPPED, 0)], []],
  ['B1: back from standby', [...started(1), record(1, STARTED), standby(1, [1]), standby(1, [])], []],
  ['B1: frozen', [...started(1), record(1, STARTED, 1, 1), standby(1, [1])], ['svc-left-in-standby']],
  ['B1: locked', [...started(1), record(1, STARTED), locked(true), standby(1, [1])], ['svc-left-in-standby']],
  [
    'B1: unlocked again',
    [...started(1), record(1, STARTED), locked(true), standby(1, [1]), locked(false)],
    [`B1: ${SERVICE} has settled on node 1, which is in standby`],
  ],
  ['B1: on its way elsewhere', [...started(1), record(1, STARTED), standby(1, [1]), asks(1, 'relocate')], []],
  ['B1: waiting for a lock of the dead', [...started(1), record(1, STARTED), standby(1, [1]), asksForLock(1)], []],
  [
    'R7: one starts, the other is told',
    [
      ...[asks(1, 'start'), asks(2, 'start'), record(1, STARTING), answers(2, 'start', Result.RUN)],
      ...[...started(1), record(1, STARTED), answers(1, 'start', Result.SUCCESS)],
    ],
    [],
  ],
  [
    'R7: the other is told that it has started it',
    [asks(2, 'start'), record(1, STOPPED, 0), answers(2, 'start', Result.SUCCESS)],
    [`R7: node 2: a start of ${SERVICE} succeeds that has started nothing`],
  ],
  [
    'R7: one starts that has lost quorum meanwhile, so that nobody has its record',
    [asks(1, 'start'), members(1, [], false), answers(1, 'start', Result.SUCCESS)],
    [],
  ],
  [
    'R7: told that it runs when it does not',
    [record(1, STOPPED, 0), asks(2, 'start'), answers(2, 'start', Result.RUN)],
    [`R7: node 2: ${SERVICE} is said to run, and nobody has it`],
  ],
])('%s', (_, history, found) => {
  expect(judge(history)).toEqual(found);
});
