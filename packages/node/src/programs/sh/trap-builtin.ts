import { SIGNALS, signalNumber } from './signals.js';
import type { Builtin, RunningShell, Streams } from './state.js';
import { quotedWord } from './word-quotes.js';

/** `trap COMMANDS CONDITION…`: what is done at the end (`EXIT`) or at a signal; `trap - CONDITION…` undoes it, and `trap` lists. */
export const trap: Builtin = function* ([, ...operands], shell, streams) {
  const { traps } = shell.state;
  if (operands.length === 0 || operands[0] === '-p') {
    for (const [condition, text] of [...traps].sort(([a], [b]) => Number(a !== 'EXIT') - Number(b !== 'EXIT'))) {
      streams.print(`trap -- ${quotedAlways(text)} ${condition === 'EXIT' ? '' : 'SIG'}${condition}\n`);
    }
    return 0;
  }
  if (operands[0] === '--') operands.shift();
  const [text, ...conditions] = operands.length === 1 ? ['-', ...operands] : operands;
  let status = 0;
  for (const given of conditions) {
    const condition = conditionOf(given);
    if (condition === undefined) {
      streams.printError(`${shell.prefix}: trap: ${given}: invalid signal specification\n`);
      status = 1;
    } else if (text === '-') traps.delete(condition);
    else {
      traps.set(condition, text!);
      if (condition !== 'EXIT') catchSignal(shell, condition, streams);
    }
  }
  return status;
};

/** `EXIT`, or the name of a signal without `SIG`. */
function conditionOf(given: string): string | undefined {
  if (given === 'EXIT' || given === '0') return 'EXIT';
  const number = signalNumber(given);
  return [...SIGNALS].find(([, each]) => each === number)?.[0];
}

/** The shell does what the trap says in place of what it was doing, and ends. */
function catchSignal(shell: RunningShell, condition: string, streams: Streams): void {
  const number = SIGNALS.get(condition)!;
  shell.os.trap(number, function* () {
    const text = shell.state.traps.get(condition);
    if (text === undefined) return 128 + number;
    yield* shell.evaluate(text, streams);
    const status = shell.leaving === 'shell' ? shell.state.status : 128 + number;
    yield* shell.end(streams);
    return status;
  });
}

function quotedAlways(text: string): string {
  const quoted = quotedWord(text);
  return quoted === text ? `'${text}'` : quoted;
}
