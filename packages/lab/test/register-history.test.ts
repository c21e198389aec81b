import { Checker, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type RegisterFact, stackInvariants } from '../src/index.js';

/** A process id beside those of operations. */
const KEEPER = 1;

/**
 * What is violated by a history. A step is `a? ` (operation a begins), `a=5`, `a=invalid` or `a=none` (it reads), `a>6` (it is about to
 * write 6), `a.` (it is over), `+1` (node 1 keeps the register), `-1` (node 1 loses its power), `/d` or `/n` (recovery begins in a
 * lockspace with a directory, or without), `/l` (node 2 leaves the lockspace), `!a` or `!+` (the process of operation a, or the one that
 * keeps the register on node 1, is killed with its lock), `!!` (the lock manager finds the value block not valid).
 */
function violated(history: string): string[] {
  const checker = new Checker(stackInvariants.filter(({ id }) => id === 'lab.R1'));
  for (const [i, step] of history.trim().split(/\s+/).entries()) {
    const stamp = { now: i, node: 1, life: 1, seq: i, at: i };
    const [who = '', what = ''] = step;
    const rest = step.slice(2);
    const operation = who.charCodeAt(0);
    const fact = (told: object): void =>
      checker.observe({ ...stamp, lockspace: 'ls', register: 'r', ...told } as Stamped<RegisterFact>);
    if (who === '+') fact({ kind: 'register.kept', node: Number(what), process: KEEPER });
    else if (who === '-') fact({ kind: 'node.state', node: Number(what), state: 'off' });
    else if (step === '/l') fact({ kind: 'dlm.released', node: 2 });
    else if (who === '/') fact({ kind: 'dlm.started', isNodir: what === 'n' });
    else if (step === '!!') fact({ kind: 'dlm.lvb-invalid', resource: 'r' });
    else if (step === '!+') fact({ kind: 'dlm.abandoned', resource: 'r', process: KEEPER });
    else if (who === '!') fact({ kind: 'dlm.abandoned', resource: 'r', process: what.charCodeAt(0) });
    else if (what === '?') fact({ kind: 'register.invoked', operation });
    else if (what === '.') fact({ kind: 'register.ended', operation });
    else if (what === '>') fact({ kind: 'register.writing', operation, value: Number(rest) });
    else {
      const outcome = rest === 'invalid' || rest === 'none' ? rest : 'valid';
      fact({ kind: 'register.read', operation, outcome, value: outcome === 'valid' ? Number(rest) : 0 });
    }
  }
  checker.end(1e9);
  return checker.violations.map(({ message }) => message.replace(/^r: process 1\.1\.\d+ /, ''));
}

/** Node 1 keeps the register, and 5 is in it. */
const FIVE = '+1 a? a=none a>5 a.';

describe('a register is linearizable', () => {
  it.each([
    ['that is written, read, and written over', `${FIVE} b? b=5 b. c? c=5 c>6 c. d? d=6 d.`],
    ['whose reader began before the writer was over', `${FIVE} b? c? c=5 c>6 c. b=5 b. d? d=6 d.`],
    ['that is read while its writer is not over', `${FIVE} b? b=5 b>6 c? c=6 c. b. d? d=6 d.`],
    ['whose writer is never over, whether it has written or not', `${FIVE} b? b=5 b>6 c? c=5 c. d? d=6 d.`],
    ['that nobody had written, twice read', '+1 a? a=none a. b? b=none b.'],
    ['that is lost with a machine, and written again', `${FIVE} -2 b? b=invalid b. c? c=invalid c>6 c. d? d=6 d.`],
    ['that is lost with a recovery without a directory', `${FIVE} /n b? b=invalid b. c? c=invalid c>6 c. d? d=6 d.`],
    ['that is lost with a node that leaves', `${FIVE} /l b? b=invalid b.`],
    ['that is lost with a process that is killed', `${FIVE} b? !b c? c=5 c. d? !! d=invalid d.`],
    [
      'whose next master believes a reader who was told that it is lost',
      `${FIVE} -2 !! b? b=invalid /n c? c=none c. b.`,
    ],
    [
      'whose next master believes what that reader has left',
      `${FIVE} -2 !! b? b=invalid /n c? c=5 c>6 c. d? d=6 d. b.`,
    ],
    ['whose only keeper is killed', `${FIVE} !+ b? b=none b>6 b.`],
    ['whose loss is noticed by a reader that began before it', `${FIVE} b? -2 b=invalid b. c? c=invalid c.`],
    ['that nobody kept any more', `${FIVE} -1 b? b=none b>6 b. c? c=6 c.`],
    ['whose reader of the old value began before the loss', `${FIVE} b? -2 c? c=invalid c>6 c. b=5 b.`],
  ])('%s', (_what, history) => {
    expect(violated(history)).toEqual([]);
  });
});

describe('a register is not linearizable', () => {
  it.each([
    ['whose reader began after the value had been replaced', `${FIVE} b? b=5 b>6 b. c? c=5`, /replaced 1 times/],
    ['whose first writer is forgotten', `${FIVE} b? b=none`, /has no value/],
    ['that two write over the same value', `${FIVE} b? c? b=5 c=5 b>6 c>7`, /writes 7 over the value that 6/],
    ['that has a value of nobody', `${FIVE} b? b=9`, /read 9, which nobody has written/],
    [
      'that is lost though no machine is',
      `${FIVE} -2 b? b=invalid b>6 b. c? c=6 c. d? d=invalid`,
      /nothing has happened that explains it/,
    ],
    [
      'that is lost with a recovery with a directory',
      `${FIVE} /d b? b=invalid`,
      /nothing has happened that explains it/,
    ],
    [
      'that is lost again after a recovery',
      `${FIVE} /n b? b=5 b. c? c=invalid`,
      /nothing has happened that explains it/,
    ],
    ['that is lost though nobody is killed', `${FIVE} !! b? b=invalid`, /nothing has happened that explains it/],
    [
      'that is lost before a killed process has its lock',
      `${FIVE} b? !b c? c=invalid`,
      /nothing has happened that explains it/,
    ],
    [
      'that is lost again, unreported, after somebody has written',
      `${FIVE} -2 !! /n b? b=invalid b>6 b. c? c=none`,
      /there was a lock on it all the time/,
    ],
    ['that nobody has found not valid', `${FIVE} -2 /n b? b=invalid b. c? c=5`, /has a value again that was lost/],
    [
      'that was not valid, and is written back for a killed reader',
      `${FIVE} -2 b? b=invalid b. !! c? !c d? d=5`,
      /has a value again that was lost/,
    ],
    ['whose keeper is not the one that is killed', `${FIVE} b? !b c? c=none`, /there was a lock on it all the time/],
    ['that has its old value after a loss', `${FIVE} -2 b? b=invalid b>6 b. c? c=5`, /has a value again that was lost/],
    [
      'that was invalid, and valid without a writer',
      `${FIVE} -2 b? b=invalid b. c? c=5`,
      /has a value again that was lost/,
    ],
    ['that is empty and not reported as lost', `${FIVE} -2 b? b=none`, /there was a lock on it all the time/],
  ])('%s', (_what, history, message) => {
    const found = violated(history);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });
});
