import { describe, expect, it } from 'vitest';
import { table } from '../src/conformance/recorded-files.js';
import {
  finishClusvcadm,
  parseClusvcadm,
  prepareClusvcadm,
  Result,
  type RgReply,
  type RgRequest,
} from '../src/index.js';
import { vectors } from './vectors.js';

const members = [1, 2, 3].map((id) => ({ id, name: `my-vm${id}`, isOnline: id !== 3 }));

/** What a user sees: the whole output, and what was asked in between. */
function run(args: string, reply?: RgReply) {
  const command = parseClusvcadm(['clusvcadm', ...args.split(' ')]);
  const step = prepareClusvcadm(command, members);
  if (step.kind === 'end') return step.result;
  const { request } = step;
  if (reply === undefined) return { output: step.output, request };
  const { status, output, errors } = finishClusvcadm(command, request, reply, members);
  return { status, output: step.output + output, errors, request };
}

const result = (code: number, owner = 1): RgReply => ({ kind: 'result', code, owner });

describe('a command line becomes a request', () => {
  it.each<[string, RgRequest, string]>([
    ['-e web', { kind: 'enable', service: 'service:web' }, 'Local machine trying to enable service:web...'],
    [
      '-e web -F',
      { kind: 'enable', service: 'service:web', isDomainStart: true },
      'Local machine trying to enable service:web...',
    ],
    [
      '-e web -m my-vm2',
      { kind: 'enable', service: 'service:web', target: 2 },
      'Member my-vm2 trying to enable service:web...',
    ],
    ['-d vm:guest', { kind: 'disable', service: 'vm:guest' }, 'Local machine disabling vm:guest...'],
    ['-s web', { kind: 'stop', service: 'service:web' }, 'Local machine stopping service:web...'],
    ['-R web', { kind: 'restart', service: 'service:web' }, 'Local machine trying to restart service:web...'],
    ['-r web', { kind: 'relocate', service: 'service:web' }, 'Trying to relocate service:web...'],
    [
      '-r web -n my-vm3',
      { kind: 'relocate', service: 'service:web', target: 3 },
      'Trying to relocate service:web to my-vm3...',
    ],
    ['-M vm:g -m my-vm2', { kind: 'migrate', service: 'vm:g', target: 2 }, 'Trying to relocate vm:g to my-vm2...'],
    ['-Z web', { kind: 'freeze', service: 'service:web' }, 'Local machine freezing service:web...'],
    ['-U web', { kind: 'unfreeze', service: 'service:web' }, 'Local machine unfreezing service:web...'],
    ['-c web', { kind: 'convalesce', service: 'service:web' }, 'Local machine convalescing service:web...'],
    ['-l', { kind: 'lock' }, ''],
    ['-u', { kind: 'unlock' }, ''],
    ['-S', { kind: 'query-lock' }, ''],
    ['-b my-vm3', { kind: 'standby', node: 3 }, 'Member my-vm3 going into standby...'],
    ['-B my-vm3', { kind: 'unstandby', node: 3 }, 'Member my-vm3 coming back from standby...'],
    ['-q -b my-vm3', { kind: 'standby', node: 3 }, ''],
    ['-q -d web', { kind: 'disable', service: 'service:web' }, ''],
    [
      '-d web -m my-vm23',
      { kind: 'disable', service: 'service:web', target: 2 },
      "'my-vm23' not in membership list\nClosest match: 'my-vm2'\nMember my-vm2 disabling service:web...",
    ],
  ])('clusvcadm %s', (args, request, output) => {
    expect(run(args)).toEqual({ request, output });
  });
});

describe('standby', () => {
  it('is for a member by its whole name', () => {
    expect(run('-b my-vm')).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^'my-vm' not in membership list/),
    });
    expect(run('-b my-vm23')).toMatchObject({ status: 1, output: expect.stringMatching(/Closest match: 'my-vm2'/) });
  });

  it('is answered', () => {
    expect(run('-b my-vm2', result(Result.SUCCESS))).toMatchObject({
      status: 0,
      output: 'Member my-vm2 going into standby...Success\n',
    });
    expect(run('-B my-vm2', result(Result.FAIL))).toMatchObject({ status: 255 });
    expect(run('-b my-vm2', { kind: 'unreachable' })).toMatchObject({ status: 1 });
  });
});

describe('a command line that asks for nothing', () => {
  it.each([
    ['-v', 0, '3.0.12.1\n', ''],
    ['-e web -F -m my-vm2', 1, '', "Cannot use '-F' with '-n' or '-m'\n"],
    ['-M vm:g', 1, '', 'Migration requires a target cluster member\n'],
    ['-M vm:g -m my-vm3', 1, "'my-vm3' is offline\n", ''],
    ['-q -M vm:g -m my-vm3', 1, '', ''],
    ['-r web -m other', 1, "'other' not in membership list\nNo matches for 'other' found\n", ''],
    ['-r web -m my', 1, "'my' not in membership list\nMore than one possible match for 'my' found\n", ''],
  ])('clusvcadm %s', (args, status, output, errors) => {
    expect(run(args)).toEqual({ status, output, errors });
  });

  it.each([
    ['-h', ''],
    ['-m my-vm2', ''],
    ['-x', "clusvcadm: invalid option -- 'x'\n"],
    ['-e', "clusvcadm: option requires an argument -- 'e'\n"],
  ])('clusvcadm %s shows how it is used', (args, errors) => {
    expect(run(args)).toMatchObject({ status: 1, output: expect.stringMatching(/^usage: clusvcadm/), errors });
  });
});

describe('an answer becomes words and an exit status', () => {
  it.each([
    ['-e web', result(0), 0, '...Success\nservice:web is now running on my-vm1\n'],
    ['-e web -m my-vm2', result(0, 1), 0, '...Success\nWarning: service:web is now running on my-vm1\n'],
    ['-r web -m my-vm2', result(0, 2), 0, '...Success\nservice:web is now running on my-vm2\n'],
    ['-r web', result(-17), 239, '...Failed; service running on original owner\n'],
    ['-e web', result(-10), 0, '...Service is already running\n'],
    ['-d web', result(0), 0, '...Success\n'],
    ['-q -d web', result(-9), 247, ''],
    ['-l', result(0), 0, 'Resource groups locked\n'],
    ['-u', result(0), 0, 'Resource groups unlocked\n'],
    ['-l', result(-1), 1, 'Lock operation failed\n'],
    ['-S', { kind: 'lock-state', isLocked: true }, 0, 'Resource groups locked\n'],
    ['-S', result(-9), 1, 'Query operation failed\n'],
    ['-u', { kind: 'unreachable' }, 1, 'Could not connect to resource group manager\nUnlock operation failed\n'],
  ] as const)('clusvcadm %s, %o', (args, reply, status, output) => {
    const seen = run(args, reply);
    expect(seen).toMatchObject({ status, errors: '' });
    expect(seen.output.replace(/^.*(?=\.{3})/, '')).toBe(output);
  });

  it('says when there is no rgmanager', () => {
    expect(run('-d web', { kind: 'unreachable' })).toMatchObject({
      status: 1,
      output: 'Local machine disabling service:web...',
      errors: 'Could not connect to resource group manager\n',
    });
  });

  it('has the texts of all results in the recorded operations', () => {
    const texts = new Map(
      table(vectors, 'tables/operations.csv').map(({ values }) => [Number(values.code), values.message!]),
    );
    expect(texts.size).toBeGreaterThan(5);
    for (const [code, text] of texts) expect(run('-d web', result(code)).output).toContain(`...${text}\n`);
  });
});
