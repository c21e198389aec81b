import { parseOptions } from '../options.js';
import type { Builtin, Input } from './state.js';

/** `NAME` or `NAME=VALUE`. */
const ASSIGNABLE = /^([A-Za-z_]\w*)(?:=(.*))?$/s;

/** `local NAME[=VALUE]…`: variables that are as they were when the function ends. */
export const local: Builtin = function* ([, ...operands], { state }, streams) {
  const hidden = state.hidden.at(-1);
  if (hidden === undefined) {
    streams.printError('-bash: local: can only be used in a function\n');
    return 1;
  }
  let status = 0;
  for (const operand of operands) {
    const [, name, value] = ASSIGNABLE.exec(operand) ?? [];
    if (name === undefined) {
      streams.printError(`-bash: local: \`${operand}': not a valid identifier\n`);
      status = 1;
      continue;
    }
    if (!hidden.has(name)) hidden.set(name, state.variables.get(name));
    if (value === undefined) state.variables.delete(name);
    else state.variables.set(name, value);
  }
  return status;
};

/** `shift [N]`: the first arguments are gone. */
export const shift: Builtin = function* ([, given = '1'], { state }, streams) {
  if (!/^\d+$/.test(given)) {
    streams.printError(`-bash: shift: ${given}: numeric argument required\n`);
    return 1;
  }
  if (Number(given) > state.positional.length) return 1;
  state.positional = state.positional.slice(Number(given));
  return 0;
};

/** `set -- [ARGUMENT…]`. */
export const set: Builtin = function* ([, option, ...args], { state }, streams) {
  if (option === '--') state.positional = args;
  else streams.printError(`-bash: set: ${option ?? 'no options'}: only \`set --' is served here\n`);
  return option === '--' ? 0 : 2;
};

/** `read [-r] [-p PROMPT] [NAME…]`: a line of what comes in, cut at blanks; the last name gets the rest. 1 at its end. */
export const read: Builtin = function* (argv, { state }, streams) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'r', values: 'p' });
  if (error !== undefined) {
    streams.printError(`-bash: read: ${error.replace(/^(.*) -- '(.)'$/, '-$2: $1')}\n`);
    return 2;
  }
  const wrong = operands.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (wrong !== undefined) {
    streams.printError(`-bash: read: \`${wrong}': not a valid identifier\n`);
    return 1;
  }
  const { line, isWhole } = takeLine(streams.input, flags.has('r'));
  const names = operands.length === 0 ? ['REPLY'] : operands;
  let rest = operands.length === 0 ? line : line.trim();
  for (const [i, name] of names.entries()) {
    const [field = '', after = ''] = i === names.length - 1 ? [rest] : (/^(\S*)\s*(.*)$/s.exec(rest)?.slice(1) ?? []);
    state.variables.set(name, field);
    rest = after;
  }
  return isWhole ? 0 : 1;
};

/** Without `isRaw` a backslash is gone, and a line that ends in one goes on in the next. */
function takeLine(input: Input, isRaw: boolean): { readonly line: string; readonly isWhole: boolean } {
  let line = '';
  for (;;) {
    const end = input.rest.indexOf('\n');
    const piece = end < 0 ? input.rest : input.rest.slice(0, end);
    input.rest = end < 0 ? '' : input.rest.slice(end + 1);
    if (isRaw) return { line: piece, isWhole: end >= 0 };
    const goesOn = /(^|[^\\])(\\\\)*\\$/.test(piece) && end >= 0;
    line += (goesOn ? piece.slice(0, -1) : piece).replace(/\\(.)/g, '$1');
    if (!goesOn) return { line, isWhole: end >= 0 };
  }
}

/** `export [NAME[=VALUE]…]`: what commands get; it is listed without operands. */
export const exportVariables: Builtin = function* ([, ...operands], { state }, streams) {
  for (const name of operands.length === 0 ? [...state.exported].sort() : []) {
    streams.print(`declare -x ${name}="${(state.variables.get(name) ?? '').replace(/["\\$`]/g, '\\$&')}"\n`);
  }
  let status = 0;
  for (const operand of operands) {
    const [, name, value] = ASSIGNABLE.exec(operand) ?? [];
    if (name === undefined) {
      streams.printError(`-bash: export: \`${operand}': not a valid identifier\n`);
      status = 1;
      continue;
    }
    state.exported.add(name);
    if (value !== undefined) state.variables.set(name, value);
  }
  return status;
};

export const unset: Builtin = function* ([, ...names], { state }) {
  for (const name of names) {
    state.variables.delete(name);
    state.exported.delete(name);
  }
  return 0;
};
