import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLUSTER_CONF } from '@quorate/lab';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';
import { stubScenarios } from './stub-scenarios.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const scenarios = stubScenarios();

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const BROKEN_XML = fileOf('broken.conf', '<cluster name="x"');
const BAD_VALUE = fileOf('bad-value.conf', CLUSTER_CONF.replace('expected_votes="9"', 'expected_votes="many"'));
const ABSENT = join(folder, 'absent', 'file');

describe('a mistake is one line on stderr and exit code 4', () => {
  it.each<[string, readonly string[], string]>([
    ['a command that is none', ['nope'], "unknown command 'nope'"],
    ['help for a command that is none', ['help', 'nope'], "unknown command 'nope'"],
    ['a command of sim that is none', ['sim', 'nope'], "unknown command 'nope'"],
    ['an option that is none', ['story', '--nope'], "unknown option '--nope'"],
    ['an option in front of the command', ['--nope', 'story'], "unknown option '--nope'"],
    ['an option of sim run that is none', ['sim', 'run', 'passes', '--nope'], "unknown option '--nope'"],
    ['an option nearly right', ['story', '--sede', '7'], "unknown option '--sede' (Did you mean --seed?)"],
    ['an option without its value', ['story', '--seed'], "option '--seed <n>' argument missing"],
    ['an argument too many', ['story', 'more'], "too many arguments for 'story'. Expected 0 arguments but got 1."],
    ['a scenario that is missing', ['sim', 'run'], "missing required argument 'scenario'"],
    [
      'a scenario that is none',
      ['sim', 'run', 'nope'],
      `sim: found scenario "nope", expected one of ${[...scenarios.keys()].join(', ')}`,
    ],
    [
      'a driver that is none',
      ['story', '--driver', 'wasm'],
      "option '--driver <driver>' argument 'wasm' is invalid. Allowed choices are workers, simulator.",
    ],
    ...['abc', '-1', '1.5', '0x', '0x12345678123456789', '18446744073709551616', ''].map(
      (seed): [string, readonly string[], string] => [
        `seed "${seed}"`,
        ['story', `--seed=${seed}`],
        `--seed: found "${seed}", expected a number below 2^64 or 0x and up to 16 hex digits`,
      ],
    ),
    [
      'a seed of a scenario',
      ['sim', 'run', 'passes', '--seed', 'abc'],
      '--seed: found "abc", expected a number below 2^64 or 0x and up to 16 hex digits',
    ],
    ...['fast', '0', '-1', '1001', 'NaN', ''].map((speed): [string, readonly string[], string] => [
      `speed "${speed}"`,
      ['story', `--speed=${speed}`],
      `--speed: found "${speed}", expected a number above 0 and at most 1000`,
    ]),
    ['a cluster.conf that is not there', ['story', '--conf', ABSENT], `cannot read ${ABSENT}: ENOENT`],
    [
      'a cluster.conf that is no XML',
      ['story', '--conf', BROKEN_XML],
      `${BROKEN_XML}:1:17: /cluster: found "<cluster name="x"", expected well-formed XML (unexpected end)`,
    ],
    [
      'a cluster.conf with a wrong value',
      ['story', '--conf', BAD_VALUE],
      `${BAD_VALUE}:3:9: /cluster/cman/@expected_votes: found "many", expected an integer of at least 1`,
    ],
    ['a result that cannot be written', ['story', '--json', ABSENT], `--json: cannot write ${ABSENT}: ENOENT`],
    ['an image that cannot be written', ['story', '--image', folder], `--image: cannot write ${folder}: EISDIR`],
    [
      'a trace that cannot be written',
      ['sim', 'run', 'passes', '--trace', ABSENT],
      `--trace: cannot write ${ABSENT}: ENOENT`,
    ],
  ])('%s', async (_, argv, message) => {
    const io = capturedIo();
    expect(await runCommand(argv, io, scenarios)).toBe(4);
    expect(io.stderr.text).toBe(`quorate: ${message}\n`);
    expect(io.stdout.text).toBe('');
  });

  it('is found before anything is written', async () => {
    const json = join(folder, 'untouched.json');
    await runCommand(['story', '--json', json, '--seed', 'abc'], capturedIo());
    expect(existsSync(json)).toBe(false);
  });
});

describe('help goes to stdout and is no mistake', () => {
  it.each([
    // arguments               usage
    [[], 'Usage: quorate [options] [command]'],
    [['--help'], 'Usage: quorate [options] [command]'],
    [['-h'], 'Usage: quorate [options] [command]'],
    [['help'], 'Usage: quorate [options] [command]'],
    [['story', '--help'], 'Usage: quorate story [options]'],
    [['help', 'story'], 'Usage: quorate story [options]'],
    [['sim'], 'Usage: quorate sim [options] [command]'],
    [['sim', '--help'], 'Usage: quorate sim [options] [command]'],
    [['help', 'sim'], 'Usage: quorate sim [options] [command]'],
    [['sim', 'run', '--help'], 'Usage: quorate sim run [options] <scenario>'],
    [['sim', 'help', 'run'], 'Usage: quorate sim run [options] <scenario>'],
  ] as const)('%j', async (argv, usage) => {
    const io = capturedIo();
    expect(await runCommand(argv, io, scenarios)).toBe(0);
    expect(io.stdout.text.split('\n')[0]).toBe(usage);
    expect(io.stderr.text).toBe('');
  });

  it('names every scenario', async () => {
    const io = capturedIo();
    await runCommand(['sim', 'run', '--help'], io);
    expect(io.stdout.text).toContain('hyperv-blog');
    expect(io.stdout.text).toContain('isolated-node-fences-majority');
  });
});
