import type { Program } from '@quorate/kernel';

/** The script with `restart`: its stop, and its start whatever came of that. */
export function restartable(script: Program): Program {
  return function* (argv, os) {
    const [name = '', action] = argv;
    if (action !== 'restart') return yield* script(argv, os);
    yield* script([name, 'stop'], os);
    return yield* script([name, 'start'], os);
  };
}
