import { LockFlag, Mode, Status, StatusFlag } from '@quorate/dlm';
import { type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { expect, it } from 'vitest';
import type { DlmCall, UserAst } from '../src/index.js';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

const LOCKSPACE = 'programs';

/** A machine that runs `cman` and has this program as `program`. */
function machineWith(program: Program): TestMachine {
  const files = {
    '/etc/cluster/cluster.conf': loneCluster(),
    '/etc/rc.d/rc3.d/K01rgmanager': '',
    '/etc/rc.d/rc3.d/K76clvmd': '',
  };
  const machine = new TestMachine({ files, programs: { ...TEST_PROGRAMS, program } });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  return machine;
}

/** A call without lockspace and process. */
type Call = DlmCall extends infer C ? (C extends DlmCall ? Omit<C, 'lockspace' | 'process'> : never) : never;

function* dlm(os: Os, call: Call): Task<unknown> {
  return yield* os.call('dlm', { ...call, lockspace: LOCKSPACE, process: os.pid });
}

function textOf(ast: UserAst | undefined | string): string {
  if (ast === undefined || typeof ast === 'string') return `${ast}`;
  if (ast.kind === 'refused') return `refused ${ast.errno}`;
  if (ast.kind === 'bast') return `bast ${ast.mode}`;
  return `cast ${ast.status} mode ${ast.mode} flags ${ast.flags} value ${ast.lvb?.[0]}`;
}

it('services that chkconfig has turned off do not start', () => {
  const machine = machineWith(TEST_PROGRAMS.echo!);
  expect(machine.type('ps')!.output).toContain('dlm_controld');
  expect(machine.type('ps')!.output).not.toMatch(/clvmd|rgmanager/);
});

it('a program locks, converts, cancels and unlocks, and reads its ASTs in order', () => {
  const machine = machineWith(function* (_argv, os) {
    const read = function* (timeout = SECOND): Task {
      os.print(`${textOf((yield* dlm(os, { kind: 'read', timeout })) as UserAst)}\n`);
    };
    expect(yield* dlm(os, { kind: 'read' })).toBe('EBADF');
    expect(yield* dlm(os, { kind: 'open' })).toBe(undefined);
    const lvb = new Uint8Array(32).fill(7);
    const request = { kind: 'lock', name: 'r', mode: Mode.EX, flags: LockFlag.VALBLK, lvb } as const;
    const first = (yield* dlm(os, request)) as number;
    yield* read();
    yield* read();
    const second = (yield* dlm(os, { ...request, mode: Mode.PR, lvb: new Uint8Array(32) })) as number;
    yield* read();
    yield* dlm(os, { kind: 'unlock', lkid: second, flags: LockFlag.CANCEL });
    yield* read();
    yield* dlm(os, { ...request, mode: Mode.NL, lkid: first, flags: LockFlag.CONVERT | LockFlag.VALBLK });
    yield* read();
    yield* dlm(os, { ...request, mode: Mode.PR, lvb: new Uint8Array(32) });
    yield* read();
    yield* dlm(os, { kind: 'unlock', lkid: first, flags: LockFlag.NOQUEUE });
    yield* read();
    expect(yield* dlm(os, { kind: 'unlock', lkid: 99, flags: 0 })).toBe('ENOENT');
    return 0;
  });
  expect(machine.type('program')!.output.split('\n').slice(0, -1)).toEqual([
    `cast ${Status.granted} mode ${Mode.EX} flags 0 value 7`,
    'undefined',
    `bast ${Mode.PR}`,
    `cast ${Status.ECANCEL} mode ${Mode.IV} flags 0 value 0`,
    `cast ${Status.granted} mode ${Mode.NL} flags 0 value 7`,
    `cast ${Status.granted} mode ${Mode.PR} flags 0 value 7`,
    'refused EINVAL',
  ]);
});

it('the locks of a program go with it, and its value block with an EX lock', () => {
  const flags: number[] = [];
  const machine = machineWith(function* ([, what], os) {
    yield* dlm(os, { kind: 'open' });
    const mode = what === 'keep' ? Mode.NL : Mode.EX;
    const lvb = new Uint8Array(32);
    const lkid = yield* dlm(os, { kind: 'lock', name: 'r', mode, flags: LockFlag.VALBLK, lvb });
    const ast = (yield* dlm(os, { kind: 'read' })) as Extract<UserAst, { kind: 'cast' }>;
    flags.push(ast.flags);
    if (what === 'keep') yield* os.sleep(60 * SECOND);
    if (what === 'write') yield* dlm(os, { kind: 'unlock', lkid: Number(lkid), flags: LockFlag.VALBLK, lvb });
    return 0;
  });
  machine.typeOnly('program keep');
  machine.run(SECOND);
  for (const what of ['write', 'die', 'read']) machine.type(`program ${what}`);
  expect(flags).toEqual([0, 0, 0, StatusFlag.VALNOTVALID]);
});

it('a lockspace of the cluster is nothing for programs', () => {
  const machine = machineWith(function* (_argv, os) {
    yield* os.run(['clvmd']);
    const answers: unknown[] = [];
    for (let i = 0; i < 2; i++)
      answers.push(yield* os.call('dlm', { kind: 'open', lockspace: 'clvmd', process: os.pid }));
    os.print(answers.join(' '));
    return 0;
  });
  expect(machine.type('program')!.output).toBe('EEXIST EEXIST');
});
