// Each block of data/bash/*.txt is a script and what bash made of it; REWRITE=1 asks the bash of this machine again.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramResult } from '@quorate/kernel';
import { describe, it } from 'vitest';
import { checkTranscript, marked } from '../../../tooling/transcript.js';
import { ShellMachine } from './machine.js';

const DIRECTORY = new URL('data/bash/', import.meta.url);

function ours(script: string): ProgramResult {
  const machine = new ShellMachine({ '/tmp/script': script });
  return machine.type('cd /tmp; sh script');
}

function real(script: string): ProgramResult {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bash-'));
  try {
    writeFileSync(join(directory, 'script'), script);
    const env = { PATH: process.env.PATH ?? '', HOME: '/root', LC_ALL: 'C' };
    const result = spawnSync('bash', ['script'], { cwd: directory, encoding: 'utf8', env, input: '' });
    return { status: result.status ?? 1, output: result.stdout, errors: result.stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function shown({ status, output, errors }: ProgramResult): string {
  const lines = [...marked('|', output), ...marked('!', errors)];
  return [...lines, ...(status === 0 ? [] : [`status ${status}`])].join('\n');
}

describe('a script does what it does in bash', () => {
  it.each(readdirSync(DIRECTORY))('%s', (name) => {
    const run = process.env.REWRITE === '1' ? real : ours;
    checkTranscript(new URL(name, DIRECTORY), (lines) => shown(run(`${lines.join('\n')}\n`)));
  });
});
