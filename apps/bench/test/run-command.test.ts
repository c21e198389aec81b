import { describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';

async function bench(...argv: readonly string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => errors.push(text) },
  };
  return { code: await runCommand(argv, io), out: out.join(''), errors: errors.join('') };
}

const SUBCOMMANDS = ['disk', 'alloc', 'locks', 'failover', 'totem-chaos', 'totem-soak', 'planted-bugs'];

it.each([['--help'], ['help']])('%s names every benchmark', async (argument) => {
  const { code, out, errors } = await bench(argument);
  expect([code, errors]).toEqual([0, '']);
  for (const name of ['story', 'stack', 'wasm', 'totem', 'trace', 'memory', ...SUBCOMMANDS])
    expect(out).toContain(name);
});

it.each(SUBCOMMANDS)('%s explains itself, and measures nothing then', async (name) => {
  const { code, out, errors } = await bench(name, '--help');
  expect([code, errors]).toEqual([0, '']);
  expect(out).toContain(`Usage: bench ${name}`);
});

describe('a mistake is one line on stderr, and exit code 4', () => {
  it.each([
    [['fast'], 'found "fast", expected one of story, stack, wasm, totem, trace, memory'],
    [['disk', '--minutes', '3'], "option '--minutes <n>' argument '3' is invalid. expected a whole number from 4"],
    [['totem-soak', '--minutes', '0'], 'expected a whole number from 1'],
    [['totem-chaos', '--seeds', 'many'], 'expected a whole number from 1'],
    [['locks', 'fast'], 'too many arguments'],
    [['planted-bugs', 'no-bug'], 'found "no-bug", expected the rule of a planted bug or one of '],
    [['planted-bugs', '--seeds', 'many'], 'expected a whole number from 1'],
    [['planted-bugs', '--shrink', '--runs', '0'], 'expected a whole number from 1'],
    [['planted-bugs', '--in', 'tempest'], 'Allowed choices are hyperv-blog, '],
    [['planted-bugs', '--fast'], "unknown option '--fast'"],
  ])('%j', async (argv, message) => {
    const { code, out, errors } = await bench(...argv);
    expect([code, out]).toEqual([4, '']);
    expect(errors).toMatch(/^bench: .*\n$/);
    expect(errors).toContain(message);
  });
});
