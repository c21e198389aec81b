import type { ControlledLockspaceView } from '@quorate/dlm';
import type { MountgroupView } from '@quorate/gfs2';
import { describe, expect, it } from 'vitest';
import { administratorsPrograms } from '../src/index.js';
import { run } from './fake-os.js';

const past = {
  startTime: undefined,
  failTime: 0,
  needsFencing: false,
  needsFs: false,
  isFsNotified: false,
  removedSeq: 0,
  lastMatchSeq: 0,
  addedSeq: 1,
  failedReason: undefined,
  membership: 1,
  hasStarted: true,
} as const;

const LOCKSPACE: ControlledLockspaceView = {
  name: 'storage',
  globalId: 0x0231f3eb,
  kernel: 'running',
  isJoining: false,
  isLeaving: false,
  isFsRegistered: true,
  needsPlocks: false,
  savesPlocks: false,
  startedCount: 3,
  change: { members: [2, 3, 4, 5], joinedCount: 0, removeCount: 1, failedCount: 1, seq: 6, combinedSeq: 6 },
  newChange: undefined,
  nodes: [
    { ...past, nodeid: 2 },
    { ...past, nodeid: 1, membership: 0, hasStarted: false, removedSeq: 6, failedReason: 'nodedown' },
  ],
};

/** In the middle of a change that waits for node 5 to be fenced. */
const WAITING: ControlledLockspaceView = {
  ...LOCKSPACE,
  name: 'rgmanager',
  kernel: 'stopped',
  isFsRegistered: false,
  newChange: {
    members: [2, 3, 4],
    joinedCount: 0,
    removeCount: 1,
    failedCount: 1,
    seq: 8,
    combinedSeq: 7,
    wait: 'fencing',
    waitingSince: 0,
  },
  nodes: [
    {
      ...past,
      nodeid: 5,
      membership: 0,
      hasStarted: false,
      needsFencing: true,
      needsFs: true,
      failedReason: 'procdown',
    },
    { ...past, nodeid: 4, membership: -1, hasStarted: false, needsFs: true },
  ],
};

const GROUP: MountgroupView = {
  name: 'storage',
  members: [2, 3],
  mount: 'mounted',
  isStarted: true,
  isBlocked: false,
  needsFirst: false,
  journals: [
    { jid: 0, node: 2, failure: 0, isInUse: true },
    { jid: 1, node: 3, failure: 0, isInUse: false },
  ],
  globalId: 0xabc,
  isLeaving: false,
  isRecovering: false,
  change: { seq: 2, members: [2, 3], joinedCount: 1, removeCount: 0, failedCount: 0, combinedSeq: 1 },
  newChange: undefined,
  nodes: [
    { nodeId: 3, addedSeq: 2, removedSeq: 0, hasFailed: false, hasStarted: true },
    { nodeId: 1, addedSeq: 1, removedSeq: 2, hasFailed: true, hasStarted: false },
    { nodeId: 2, addedSeq: 1, removedSeq: 0, hasFailed: false, hasStarted: true },
  ],
};

const RECOVERING: MountgroupView = {
  ...GROUP,
  isBlocked: true,
  isRecovering: true,
  needsFirst: true,
  newChange: { ...GROUP.change!, seq: 4, combinedSeq: 3, isStartSent: false },
};

function type(line: string, list: unknown, dump = 'noted\n') {
  const call = (_daemon: string, request: unknown): unknown => {
    if (list === undefined) return 'ECONNREFUSED';
    return (request as { kind: string }).kind === 'dump' ? dump : list;
  };
  return run(administratorsPrograms.get(line.split(' ')[0]!)!, line, { call });
}

describe('dlm_tool ls', () => {
  it('prints what the specification has', () => {
    expect(type('dlm_tool ls', [LOCKSPACE])).toEqual({
      status: 0,
      output: `dlm lockspaces
name          storage
id            0x0231f3eb
flags         0x00000008 fs_reg
change        member 4 joined 0 remove 1 failed 1 seq 6,6
members       2 3 4 5 

`,
      errors: '',
    });
  });

  it('prints a change under way, and with -n all nodes', () => {
    expect(type('dlm_tool -n ls', [LOCKSPACE, WAITING]).output).toBe(`dlm lockspaces
name          storage
id            0x0231f3eb
flags         0x00000008 fs_reg
change        member 4 joined 0 remove 1 failed 1 seq 6,6
members       2 3 4 5 
all nodes
nodeid 1 member 0 failed 3 start 0 seq_add 1 seq_rem 6 check none
nodeid 2 member 1 failed 0 start 1 seq_add 1 seq_rem 0 check none

name          rgmanager
id            0x0231f3eb
flags         0x00000004 kern_stop
change        member 4 joined 0 remove 1 failed 1 seq 6,6
members       2 3 4 5 
new change    member 3 joined 0 remove 1 failed 1 seq 7,8
new status    wait_messages 0 wait_condition 1 fencing
new members   2 3 4 
all nodes
nodeid 4 member -1 failed 0 start 0 seq_add 1 seq_rem 0 check fs
nodeid 5 member 0 failed 5 start 0 seq_add 1 seq_rem 0 check fence

`);
  });

  it.each([
    ['messages', '1 wait_condition 0 '],
    ['fencing', '0 wait_condition 1 fencing'],
    ['quorum', '0 wait_condition 2 quorum'],
    ['fs', '0 wait_condition 3 fs'],
    ['ringid', '0 wait_condition 4 pending'],
    [undefined, '0 wait_condition 4 pending'],
  ] as const)('a change that waits for %s', (wait, status) => {
    const joining = { ...WAITING, isJoining: true, change: undefined, newChange: { ...WAITING.newChange!, wait } };
    const { output } = type('dlm_tool ls', [joining]);
    expect(output).toContain(`new status    wait_messages ${status}\n`);
    expect(output).toContain('flags         0x00000005 kern_stop,join\nchange        member 0 joined 0');
  });
});

describe('dlm_tool about locks', () => {
  const lockspace = { name: 'storage', nodeid: 1, isRunning: true, waiters: [], resources: [] };
  const controld = { nodeId: 1, now: 9e9, isQuorate: true, victims: [5], nodes: [], lockspaces: [WAITING, LOCKSPACE] };
  const views = { dlm: { lockspaces: [lockspace] }, controld };

  function ask(line: string, reply: unknown = views) {
    const call = (_daemon: string, request: unknown): unknown =>
      (request as { kind: string }).kind === 'cluster-views' ? new Map() : reply;
    return run(administratorsPrograms.get('dlm_tool')!, line, { call });
  }

  it.each([
    ['dlm_tool lockdump storage', 0, '', ''],
    ['dlm_tool lockdebug storage', 0, '\n', ''],
    ['dlm_tool lockdump', 1, '', 'lockspace name required\n'],
    ['dlm_tool lockdump other', 0, '', "can't open /sys/kernel/debug/dlm/other_locks: No such file or directory\n"],
    ['dlm_tool lockdebug other', 0, '', "can't open /sys/kernel/debug/dlm/other: No such file or directory\n"],
    ['dlm_tool why other', 1, '', 'dlm_tool: no lockspace other\n'],
    ['dlm_tool why storage', 0, '', ''],
    ['dlm_tool why storage 1f', 0, 'node 1 has no lock 0000001f in lockspace storage\n', ''],
    ['dlm_tool health', 2, 'rgmanager waiting for fencing 5 since 9 s\nstorage running\nwaiting\n', ''],
  ])('%s ends with %i', (line, status, output, errors) => {
    expect(ask(line)).toEqual({ status, output, errors });
  });

  it('health for programs, and of nobody', () => {
    expect(JSON.parse(ask('dlm_tool health -j').output)).toEqual({
      node: 1,
      isHealthy: false,
      isQuorate: true,
      victims: [5],
      lockspaces: [
        { lockspace: 'rgmanager', state: 'waiting', waitsFor: 'fencing', seconds: 9, nodes: [5] },
        { lockspace: 'storage', state: 'running' },
      ],
    });
    expect(ask('dlm_tool health', 'ECONNREFUSED').status).toBe(1);
    expect(ask('dlm_tool health', { ...views, controld: { ...controld, lockspaces: [LOCKSPACE] } }).status).toBe(0);
  });

  it('status and plocks', () => {
    expect(ask('dlm_tool status').output).toContain('cluster nodeid 1 quorate 1 ring seq ');
    expect(
      ask('dlm_tool plocks storage', [{ number: '7', owner: 1, unusedFor: 0, locks: [], waiters: [], pending: [] }]),
    ).toEqual({
      status: 0,
      output: '7 rown 1 unused_ms 0\n',
      errors: '',
    });
  });
});

describe('gfs_control ls', () => {
  it('prints mount groups, with -n all nodes', () => {
    expect(type('gfs_control ls -n', [GROUP]).output).toBe(`gfs mountgroups
name          storage
id            0x00000abc
flags         0x00000048 mounted
change        member 2 joined 1 remove 0 failed 0 seq 1,2
members       2 3 
all nodes
nodeid 1 jid -1 member 0 failed 3 start 0 seq_add 1 seq_rem 2 mount none
nodeid 2 jid 0 member 1 failed 0 start 1 seq_add 1 seq_rem 0 mount done
nodeid 3 jid 1 member 1 failed 0 start 1 seq_add 2 seq_rem 0 mount none

`);
  });

  it('prints a change under way', () => {
    expect(type('gfs_control ls', [RECOVERING]).output).toBe(`gfs mountgroups
name          storage
id            0x00000abc
flags         0x000000ac recover,need_first,mounted,blocked
change        member 2 joined 1 remove 0 failed 0 seq 1,2
members       2 3 
new change    member 2 joined 1 remove 0 failed 0 seq 3,4
new status    wait_messages 0 wait_condition 4 pending
new members 2 3 

`);
  });
});

describe.each([
  ['dlm_tool', LOCKSPACE],
  ['gfs_control', GROUP],
] as const)('%s', (tool, view) => {
  it.each([
    ['ls without any', 'ls', [], 0, ''],
    [
      'ls of one by its name',
      'ls storage',
      [view, { ...view, name: 'b' }],
      0,
      expect.stringContaining('name          storage'),
    ],
    ['ls of one that there is not', 'ls nothing', [view], 1, ''],
    ['ls without its daemon', 'ls', undefined, 1, ''],
    ['dump', 'dump', [], 0, 'noted\n'],
    ['dump without its daemon', 'dump', undefined, 0, ''],
    ['-V', '-V', [], 0, `${tool} 3.0.12.1\n`],
    ['-h', '-h', [], 0, expect.stringContaining(`Usage:\n\n${tool} [options] [`)],
    ['nothing', '', [], 1, expect.stringContaining('Usage:')],
  ])('%s', (_, words, views, status, output) => {
    expect(type(`${tool} ${words}`.trim(), views)).toEqual({ status, output, errors: '' });
  });

  it('complains of an unknown option', () => {
    expect(type(`${tool} -z`, [])).toMatchObject({
      status: 1,
      errors: `${tool}: invalid option -- 'z'\nPlease use '-h' for usage.\n`,
    });
  });
});

describe('group_tool', () => {
  /** Which commands it runs; each prints its own name and fails. */
  function ran(line: string) {
    const os = {
      *run(argv: readonly string[]) {
        return { status: 1, output: `${argv.join(' ')}\n`, errors: '' };
      },
    };
    return run(administratorsPrograms.get('group_tool')!, line, { os: os as never });
  }

  it.each([
    ['group_tool', 0, 'fence_tool ls\ndlm_tool ls\ngfs_control ls\n'],
    ['group_tool ls', 0, 'fence_tool ls\ndlm_tool ls\ngfs_control ls\n'],
    ['group_tool list -n', 0, 'fence_tool ls -n\ndlm_tool ls -n\ngfs_control ls -n\n'],
    ['group_tool -v', 0, 'fence_tool ls -n\ndlm_tool ls -n\ngfs_control ls -n\n'],
    ['group_tool ls -g0', 0, 'fence_tool ls\ndlm_tool ls\ngfs_control ls\n'],
    ['group_tool ls -g 2', 0, 'fence_tool ls\ndlm_tool ls\ngfs_control ls\n'],
    // groupd does not run.
    ['group_tool ls -g1', 0, ''],
    ['group_tool compat', 1, ''],
    ['group_tool dump', 0, ''],
    ['group_tool dump fence', 0, 'fence_tool dump\n'],
    ['group_tool dump dlm', 0, 'dlm_tool dump\n'],
    ['group_tool dump gfs', 0, 'gfs_control dump\n'],
    ['group_tool anything', 0, 'fence_tool ls\ndlm_tool ls\ngfs_control ls\n'],
    ['group_tool -V', 0, 'group_tool 3.0.12.1\n'],
  ])('%s: exit status %i', (line, status, output) => {
    expect(ran(line)).toEqual({ status, output, errors: '' });
  });

  it('leaves posix locks to dlm_tool, and has a usage', () => {
    expect(ran('group_tool dump plocks a')).toEqual({ status: 0, output: '', errors: 'use dlm_tool command\n' });
    expect(ran('group_tool -h').output).toMatch(/^Usage:\n\ngroup_tool \[options\] \[compat\|ls\|dump\]\n/);
    expect(ran('group_tool -z')).toMatchObject({ status: 1, errors: expect.stringContaining('invalid option') });
  });
});
