import { Checker, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { invariants, Result, type RgFact, ServiceState, type TreeFact } from '../src/index.js';

type Told = RgFact extends infer F ? (F extends RgFact ? Omit<F, 'now'> : never) : never;

let at = 0;
/** A fact of a node, a tenth of a second after the one before it. */
function fact(node: number, told: Told, life = 1): Stamped<RgFact> {
  at += SECOND / 10;
  return { ...told, now: at, node, life, seq: at, at } as Stamped<RgFact>;
}

/** Time that passes without a fact. */
const QUIET = 'quiet' as const;

type History = readonly (Stamped<RgFact> | typeof QUIET)[];

/** Rules that these histories are for; they have no agents, which others judge. */
const HERE = ['S28', 'S29', 'rgmanager.M1'];

/** What is violated, and what is counted. */
function judge(history: History): { readonly violated: string[]; readonly counted: string[] } {
  const checker = new Checker(invariants.filter(({ id }) => HERE.includes(id)));
  let shift = 0;
  let last = 0;
  for (const each of history) {
    if (each === QUIET) {
      shift += 20 * SECOND;
      checker.tick(last + shift);
    } else {
      last = each.at;
      checker.observe({ ...each, at: each.at + shift } as Stamped);
    }
  }
  checker.end(last + shift);
  return {
    violated: checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`),
    counted: [...checker.counts].map(([name, { times }]) => `${name} ${times}`),
  };
}

function violated(history: History): string[] {
  return judge(history).violated;
}

const TREE: readonly TreeFact[] = [
  { path: '0', resource: 'service:web', type: 'service', startLevel: 0, stopLevel: 0, isSingle: false, rank: -1 },
  { path: '0.0', resource: 'fs:f', type: 'fs', startLevel: 2, stopLevel: 8, isSingle: false, rank: 1 },
  { path: '0.1', resource: 'ip:a', type: 'ip', startLevel: 7, stopLevel: 2, isSingle: false, rank: 6 },
  { path: '0.2', resource: 'ip:b', type: 'ip', startLevel: 7, stopLevel: 2, isSingle: false, rank: 6 },
  { path: '0.1.0', resource: 'apache:h', type: 'apache', startLevel: 0, stopLevel: 0, isSingle: false, rank: -1 },
  { path: '0.3', resource: 'mysql:m', type: 'mysql', startLevel: 0, stopLevel: 0, isSingle: false, rank: -1 },
];

const service = { service: 'service:web', domain: 'd', isExclusive: false, dependsOn: '', tree: TREE };
const nodes = [1, 2, 3].map((node) => ({ node, priority: node }));
const ORDERED = { name: 'd', isOrdered: true, isRestricted: false, isNofailback: false, nodes };
/** Another service, which wants its node for itself. */
const GUEST = { service: 'service:guest', domain: '', isExclusive: true, dependsOn: '', tree: [] };
const configured = (node: number, domain = {}, changes = {}, life = 1, isParallel = false) => {
  const services = [{ ...service, ...changes }, GUEST];
  return fact(node, { kind: 'rg.configured', isParallel, services, domains: [{ ...ORDERED, ...domain }] }, life);
};

describe('S28: order in the tree', () => {
  const about = (path: string) => ({
    service: 'service:web',
    path,
    resource: TREE.find((t) => t.path === path)!.resource,
  });
  const operation = (name: string) =>
    fact(1, { kind: 'rg.operation-started', service: 'service:web', operation: name });
  let run = 0;
  const call = (action: string, path: string, status = 0) => {
    run += 1;
    return [
      fact(1, { kind: 'rg.agent-started', run, ...about(path), action, depth: 0 }),
      fact(1, { kind: 'rg.agent-ended', run, ...about(path), action, status }),
    ];
  };
  const started = [
    ...[operation('start'), ...call('start', '0'), ...call('start', '0.0'), ...call('start', '0.1')],
    ...[...call('start', '0.1.0'), ...call('start', '0.2'), ...call('start', '0.3')],
  ];

  it.each([
    [
      'levels, then what has none; down the other way round',
      [
        ...started,
        operation('stop'),
        ...['0.3', '0.2', '0.1.0', '0.1', '0.0', '0'].flatMap((path) => call('stop', path)),
      ],
    ],
    [
      'a stop that fails does not keep the others',
      [
        ...started,
        operation('stop'),
        ...call('stop', '0.3', 1),
        ...['0.2', '0.1.0', '0.1', '0.0', '0'].flatMap((path) => call('stop', path)),
      ],
    ],
    [
      'inline recovery of a part',
      [
        ...started,
        operation('condstop'),
        ...call('stop', '0.1.0'),
        ...call('stop', '0.1'),
        operation('condstart'),
        ...call('start', '0.1'),
        ...call('start', '0.1.0'),
      ],
    ],
    ['checks at any time', [operation('status'), ...call('status', '0.2'), ...call('status', '0.0')]],
  ])('holds: %s', (_, history) => {
    expect(violated([configured(1), ...history])).toEqual([]);
  });

  it.each([
    [
      'a child before its parent',
      [operation('stop'), ...call('stop', '0.1'), operation('start'), ...call('start', '0.1.0')],
      'starts apache:h while ip:a is stopped',
    ],
    [
      'a higher level first',
      [operation('start'), ...call('start', '0'), ...call('start', '0.1'), ...call('start', '0.0')],
      'starts fs:f after ip:a',
    ],
    [
      'siblings of a type in reverse',
      [operation('start'), ...call('start', '0.2'), ...call('start', '0.1')],
      'starts ip:a after ip:b',
    ],
    [
      'what has no level before what has',
      [operation('start'), ...call('start', '0.3'), ...call('start', '0.0')],
      'starts fs:f after mysql:m',
    ],
    [
      'on after a failure',
      [operation('start'), ...call('start', '0'), ...call('start', '0.0', 1), ...call('start', '0.1')],
      'starts ip:a after another failed to start',
    ],
    [
      'a parent before its child down',
      [...started, operation('stop'), ...call('stop', '0.1')],
      'stops ip:a while apache:h is started',
    ],
    ['levels down as up', [operation('stop'), ...call('stop', '0.0'), ...call('stop', '0.1')], 'stops ip:a after fs:f'],
    [
      'two at once',
      [operation('stop'), call('stop', '0.1')[0]!, call('stop', '0.0')[0]!],
      'stops fs:f while ip:a is busy',
    ],
  ])('is violated by %s', (_, history, message) => {
    expect(violated([configured(1), ...history])).toEqual([`S28: node 1: service:web ${message}`]);
  });

  describe('with parallel siblings', () => {
    const begin = (path: string) => call('start', path)[0]!;
    const end = (path: string, status = 0) => call('start', path, status)[1]!;
    const up = [operation('start'), ...call('start', '0'), ...call('start', '0.0')];
    const parallel = (history: History) => violated([configured(1, {}, {}, 1, true), ...history]);

    it('what is of one level, and below it, starts at the same time', () => {
      const beside = [begin('0.2'), begin('0.1'), end('0.1'), begin('0.1.0'), end('0.2'), end('0.1.0')];
      expect(parallel([...up, ...beside])).toEqual([]);
      expect(violated([configured(1), ...up, ...beside])).toHaveLength(2);
    });

    it('a failure lets what is beside it go on', () => {
      expect(
        parallel([...up, begin('0.1'), begin('0.2'), end('0.2', 1), end('0.1'), ...call('start', '0.1.0')]),
      ).toEqual([]);
    });

    it.each([
      ['another level', () => [...up.slice(0, 3), begin('0.0'), begin('0.1')], 'starts ip:a while fs:f is busy'],
      ['what is below', () => [...up, begin('0.1'), begin('0.1.0')], 'starts apache:h while ip:a is busy'],
      ['what has no level', () => [...up, begin('0.1'), begin('0.3')], 'starts mysql:m while ip:a is busy'],
      [
        'after a failure',
        () => [...up, ...call('start', '0.1', 1), begin('0.3')],
        'starts mysql:m after another failed',
      ],
    ])('%s does not', (_, history, message) => {
      expect(parallel(history())).toEqual([expect.stringContaining(message)]);
    });
  });
});

describe('S29: the failover domain', () => {
  const members = (node: number, ids: readonly number[], life = 1) =>
    fact(node, { kind: 'rg.members', members: ids, isQuorate: true }, life);
  const request = (node: number, text: string, changes = {}, code: number = Result.SUCCESS) => {
    const about = { service: 'service:web', request: text };
    return [
      fact(node, { kind: 'rg.request-started', ...about, target: 0, isAnswered: false, ...changes }),
      fact(node, { kind: 'rg.request-ended', ...about, code }),
    ] as const;
  };
  const record = (owner: number, changes = {}) =>
    fact(owner, {
      kind: 'rg.service',
      ...{
        service: 'service:web',
        state: ServiceState.STARTED,
        owner,
        lastOwner: 0,
        restarts: 0,
        flags: 0,
        ...changes,
      },
    });
  const starting = (owner: number) => record(owner, { state: ServiceState.STARTING });
  /** Evaluation on a node starts the service there. */
  const placed = (owner: number, ids: readonly number[], domain = {}, changes = {}) => {
    const [begin, end] = request(owner, 'start');
    return [
      configured(owner, domain, changes),
      members(owner, ids),
      begin,
      starting(owner),
      record(owner),
      end,
      QUIET,
    ] as const;
  };
  /** A node looks at it because another one came. */
  const evaluated = (
    node: number,
    newcomer: number,
    state: number,
    owner: number,
    decision: 'nothing' | 'exclusive-service-here' = 'nothing',
  ) => fact(node, { kind: 'rg.evaluated', newcomer, service: 'service:web', state, owner, decision, target: 0 });
  const guest = (owner: number, state: number = ServiceState.STARTED) =>
    record(owner, { service: GUEST.service, state, owner: state === ServiceState.STOPPED ? 0 : owner });
  /** It is started in a request that asks for no domain. */
  const unchecked = (owner: number, text: string) => {
    const [begin, end] = request(owner, text, { isAnswered: true });
    return [begin, starting(owner), record(owner), end, QUIET] as const;
  };
  const better = (node: number, owner: number) =>
    `S29: service:web has settled on node ${owner}, but node ${node} is online and better in its domain`;
  const restricted = { isRestricted: true, nodes: nodes.slice(0, 2) };
  const lock = (node: number, event: 'asked' | 'granted' | 'released', name = 'usrm::vf') =>
    fact(node, { kind: 'rg.lock', event, name });
  const view = (node: number, event: 'asked' | 'answered') => fact(node, { kind: 'rg.view', event });
  const off = (node: number) => fact(node, { kind: 'node.state', state: 'off' } as never);
  const exited = (node: number) => fact(node, { kind: 'rg.exited' });
  const master = (node: number) => fact(node, { kind: 'rg.master' });
  const script = (event: 'started' | 'ended', changes = {}) =>
    fact(3, { kind: 'rg.script', event, name: 'Default', isDefault: true, cause: 'node', service: '', ...changes });
  /** Node 3 is the master, and a script of its starts the service on node 2. */
  const byScript = (changes = {}, domain = {}) => [
    ...[configured(2, domain), configured(3, domain), members(2, [1, 2, 3]), members(3, [1, 2, 3]), master(3)],
    ...[script('started', changes), ...unchecked(2, 'remote start').slice(0, -1), script('ended', changes), QUIET],
  ];
  /** Node 1 joins, gets a lock, and the owner on node 2 waits for it. */
  const waiting = () => [
    ...placed(2, [2, 3]),
    ...[lock(1, 'asked'), lock(1, 'granted'), members(2, [1, 2, 3]), lock(2, 'asked')],
  ];

  it.each<[string, () => History, string?]>([
    ['the best of those who are there', () => placed(2, [2, 3])],
    // Storms 0x5a7 and 0x635 (gray): all lost their power, and nobody was there to take it over.
    ['its owner is off', () => [...placed(2, [2, 3]).slice(0, -1), members(2, [1, 2, 3]), off(2), QUIET]],
    [
      'a user has put it elsewhere',
      () => [
        ...placed(1, [1, 2, 3]),
        ...[configured(2), members(2, [1, 2, 3]), ...request(1, 'relocate', { isAnswered: true, target: 2 })],
        ...[starting(2), record(2), QUIET],
      ],
      'svc-user 1',
    ],
    [
      'recovery has moved it',
      () => [
        ...placed(1, [1, 2, 3]),
        ...[configured(2), members(2, [1, 2, 3])],
        ...[...request(2, 'start (recovery)', { isAnswered: true }), starting(2), record(2), QUIET],
      ],
      'svc-recovery 1',
    ],
    [
      'the way to the better node failed',
      () => [
        ...placed(2, [2, 3]),
        ...[
          members(2, [1, 2, 3]),
          ...request(2, 'relocate', { target: 1 }, Result.RELO),
          starting(2),
          record(2),
          QUIET,
        ],
      ],
      'svc-failure 1',
    ],
    [
      'it is frozen when the better node joins',
      () => [...placed(2, [2, 3]), ...[record(2, { flags: 1 }), members(2, [1, 2, 3]), QUIET]],
      'svc-frozen 1',
    ],
    [
      'services are locked when the better node joins',
      () => [...placed(2, [2, 3]), ...[fact(2, { kind: 'rg.lockdown', isLocked: true }), members(2, [1, 2, 3]), QUIET]],
      'svc-locked 1',
    ],
    [
      'a user restarts it outside of its restricted domain',
      () => [configured(3, restricted), members(3, [3]), ...unchecked(3, 'restart')],
      'svc-outside-restricted 1',
    ],
    [
      'the better node is not the best, and the best is excused',
      () => [
        ...[...placed(1, [1, 3]), configured(3), members(3, [1, 3])],
        ...[...unchecked(3, 'start (recovery)'), members(3, [1, 2, 3]), members(3, [2, 3]), QUIET],
      ],
      'svc-recovery 1, svc-second-best 1',
    ],
    [
      'it is stopped for its recovery when its owner comes to look at the better node',
      () => [
        ...[...placed(2, [2, 3]), members(2, [1, 2, 3]), evaluated(2, 1, ServiceState.ERROR, 2)],
        ...unchecked(2, 'status'),
      ],
      'svc-moving 1',
    ],
    // Storm 0x2f8: it waited for the lock of the service while a better node came, which found a service there that wants a node for itself.
    [
      'its owner had begun to start it when the better node came',
      () => {
        const [begin, end] = request(2, 'start', { isAnswered: true });
        return [
          ...[
            configured(2),
            members(2, [2, 3]),
            begin,
            members(2, [1, 2, 3]),
            evaluated(2, 1, ServiceState.STOPPED, 0),
          ],
          ...[starting(2), record(2), end, QUIET],
        ];
      },
      'svc-moving 1',
    ],
    // Storm 0x327: it had joined before, and when the owner came to look, a user had locked services.
    [
      'its owner looks at the better node while services are locked',
      () => [...placed(2, [2, 3]), members(2, [1, 2, 3]), fact(2, { kind: 'rg.unevaluated', newcomer: 1 }), QUIET],
      'svc-locked 1',
    ],
    ['its owner waits for a lock of a node that died', () => [...waiting(), off(1), QUIET], 'svc-fencing 1'],
    [
      'its owner waits for a node that waits for one that died',
      () => [
        ...[lock(3, 'asked', 'rg'), lock(3, 'granted', 'rg'), ...waiting(), lock(3, 'asked'), lock(2, 'asked', 'rg')],
        ...[off(1), QUIET],
      ],
      'svc-fencing 1',
    ],
    // Storm 0x102 (swarm): a machine of the ring had lost its power, and nothing was ordered until the ring was formed anew.
    [
      'its owner waits for a lock of a node that waits for members',
      () => [...waiting(), view(1, 'asked'), QUIET],
      'svc-unanswered 1',
    ],
    [
      'its owner waits for members',
      () => [...placed(2, [2, 3]), members(2, [1, 2, 3]), view(2, 'asked'), QUIET],
      'svc-unanswered 1',
    ],
    ['a script of its own puts it there', () => byScript({ isDefault: false }), 'svc-script 1'],
    ['the master does so for a user', () => byScript({ cause: 'user', service: 'service:web' }), 'svc-user 1'],
    ['the master recovers it', () => byScript({ cause: 'service', service: 'service:web' }), 'svc-recovery 1'],
    [
      'the master is at another event',
      () => [master(3), ...placed(2, [2, 3]), script('started'), members(2, [1, 2, 3]), QUIET],
      'svc-master 1',
    ],
    [
      'the master is on its way out',
      () => [master(3), ...placed(2, [2, 3]), fact(3, { kind: 'rg.stopping' }), members(2, [1, 2, 3]), QUIET],
      'svc-master 1',
    ],
    [
      'a master leaves it outside where there is no failback',
      () => [master(3), ...placed(3, [3], { isNofailback: true, nodes: nodes.slice(0, 1) }), members(3, [1, 3]), QUIET],
    ],
    ['no failback', () => [...placed(2, [2, 3], { isNofailback: true }), members(2, [1, 2, 3]), QUIET]],
    ['no order', () => [...placed(2, [2, 3], { isOrdered: false }), members(2, [1, 2, 3]), QUIET]],
    [
      'the better node has a service that wants it for itself',
      () => [guest(1), ...placed(2, [2, 3]), members(2, [1, 2, 3]), QUIET],
      'svc-exclusive 1',
    ],
    [
      'the better node had one when it looked at this one',
      () => [
        ...[guest(1), configured(1), members(1, [1, 3])],
        ...[evaluated(1, 0, ServiceState.STOPPED, 0, 'exclusive-service-here'), configured(3), members(3, [1, 3])],
        ...[...unchecked(3, 'remote start').slice(0, -1), guest(1, ServiceState.STOPPED), QUIET],
      ],
      'svc-exclusive 1',
    ],
    ['it wants a node for itself', () => placed(3, [1, 3], {}, { isExclusive: true })],
    // A storm found that one (gray, seed 0x63): it had lost quorum, had it again, and was to end before it had a lock.
    ['its owner has ended, and nobody has taken it over', () => [...waiting(), exited(2), QUIET]],
    ['its owner lives again, and does not run it', () => [...placed(3, [3]), members(3, [1, 3], 2), QUIET]],
    [
      'its domain has changed under it',
      () => [...placed(1, [1, 2, 3]), configured(1, { nodes: nodes.slice(1) }), QUIET],
    ],
  ])('holds: %s', (_, history, counted = '') => {
    const { violated, counted: counts } = judge(history());
    expect({ violated, counted: counts.join(', ') }).toEqual({ violated: [], counted });
  });

  it.each<[string, () => History, string]>([
    ['a start on a worse node', () => placed(3, [1, 2, 3]), better(1, 3)],
    [
      'a start on a worse node, while another has what wants it for itself',
      () => [guest(2), ...placed(3, [1, 2, 3])],
      better(1, 3),
    ],
    ['an owner that waits for a lock of a node that lives', () => [...waiting(), QUIET], better(1, 2)],
    ['a master that does not go by the domain', () => byScript(), better(1, 2)],
    [
      'an owner that has the lock of a dead node now',
      () => [...waiting(), off(1), QUIET, lock(2, 'granted'), QUIET],
      better(1, 2),
    ],
    [
      'an owner that waits for a lock of a node that has its answers',
      () => [...waiting(), view(1, 'asked'), QUIET, view(1, 'answered'), QUIET],
      better(1, 2),
    ],
    ['failing to fail back', () => [...placed(2, [2, 3]), members(2, [1, 2, 3]), QUIET], better(1, 2)],
    [
      'staying outside while a member is there',
      () => [...placed(3, [3], { isNofailback: true, nodes: nodes.slice(0, 1) }), ...[members(3, [1, 3]), QUIET]],
      better(1, 3),
    ],
    [
      'running outside of a restricted domain',
      () => placed(3, [3], restricted),
      'S29: service:web has settled on node 3, which is not in its restricted domain',
    ],
    [
      'a worse node, however often it is checked there',
      () => [
        ...[configured(3), members(3, [1, 2, 3]), ...request(3, 'start').slice(0, 1), starting(3), record(3)],
        ...request(3, 'start').slice(1),
        ...Array.from({ length: 60 }, () => request(3, 'status')).flat(),
        ...[members(3, [1, 2, 3]), QUIET],
      ],
      better(1, 3),
    ],
    [
      'a start outside of a restricted domain for another node',
      () => [configured(3, restricted), members(3, [3]), ...unchecked(3, 'remote start')],
      'S29: service:web has settled on node 3, which is not in its restricted domain',
    ],
    [
      'failing back where there is no failback',
      () => [
        ...placed(2, [2, 3], { isNofailback: true }),
        ...[members(2, [1, 2, 3]), ...request(2, 'relocate', { target: 1 })],
      ],
      'S29: service:web leaves node 2 for 1, but its domain has no failback',
    ],
  ])('is violated by %s', (_, history, message) => {
    expect(violated(history())).toEqual([message]);
  });
});

describe('M1: one master', () => {
  const members = (node: number, ids: readonly number[], life = 1) =>
    fact(node, { kind: 'rg.members', members: ids, isQuorate: true }, life);
  const master = (node: number, life = 1) => fact(node, { kind: 'rg.master' }, life);
  const script = (node: number, life = 1) =>
    fact(
      node,
      { kind: 'rg.script', event: 'started', name: 'Default', isDefault: true, cause: 'node', service: '' },
      life,
    );

  it.each<[string, () => History]>([
    ['the first master', () => [members(1, [1, 2]), master(1), script(1)]],
    ['its successor, when it is lost', () => [members(1, [1, 2]), master(1), members(2, [2]), master(2), script(2)]],
    [
      'its successor, when it has ended',
      () => [members(1, [1, 2]), master(1), members(2, [1, 2]), fact(1, { kind: 'rg.exited' }), master(2)],
    ],
    [
      'another, when it was started again',
      () => [members(1, [1, 2]), master(1), members(1, [1, 2], 2), members(2, [1, 2]), master(2)],
    ],
  ])('holds: %s', (_, history) => {
    expect(violated(history())).toEqual([]);
  });

  it.each<[string, () => History, string]>([
    [
      'a second master',
      () => [members(1, [1, 2]), master(1), members(2, [1, 2]), master(2)],
      'node 2 has become the master, but node 1 is a member and has',
    ],
    [
      'a worker that decides',
      () => [members(1, [1, 2]), master(1), script(2)],
      'node 2 runs the script Default, but has not become the master',
    ],
    [
      'one that was the master in an earlier life',
      () => [members(1, [1, 2]), master(1), script(1, 2)],
      'node 1 runs the script Default, but has not become the master',
    ],
  ])('is violated by %s', (_, history, message) => {
    expect(violated(history())).toEqual([`rgmanager.M1: ${message}`]);
  });
});
