import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Intrinsics, JSException, QuickJS } from 'quickjs-wasi';
import type { Engine } from './engine.js';
import { GUEST } from './program.js';

/** What ECMAScript has and a core package may not use. Without them nobody can. */
const LEFT_OUT =
  Intrinsics.PROMISE |
  Intrinsics.WEAK_REF |
  Intrinsics.PROXY |
  Intrinsics.PERFORMANCE |
  Intrinsics.DOM_EXCEPTION |
  Intrinsics.ATOB_BTOA;

/** All of WASI that the engine is linked to. */
const HOST_CALLS = ['clock_time_get', 'random_get', 'fd_write', 'fd_close', 'fd_seek', 'fd_fdstat_get'];

const require = createRequire(import.meta.url);

/**
 * Runs a program in QuickJS compiled to WebAssembly, without a host: no clock, no chance, no output, no modules, no functions.
 *
 * The engine asks for a clock and for chance while it starts, to seed `Math.random`: it gets zeros. Whatever it asks for later
 * fails the call. `Math.random` itself, `queueMicrotask`, `Promise`, `Proxy` and `WeakRef` are not there.
 */
export async function startQuickJs(program: string): Promise<Engine> {
  let isStarted = false;
  const refuse = (name: string) => (): number => {
    if (isStarted) throw new Error(`the guest asked its host for ${name}`);
    return 0;
  };
  const quickJs = await QuickJS.create({
    wasm: readFileSync(require.resolve('quickjs-wasi/quickjs.wasm')),
    wasi: () => Object.fromEntries(HOST_CALLS.map((name) => [name, refuse(name)])),
    intrinsics: Intrinsics.ALL & ~LEFT_OUT,
    timezoneOffset: 0,
  });
  isStarted = true;
  quickJs.evalCode('delete Math.random; delete globalThis.queueMicrotask').dispose();
  quickJs.evalCode(program, 'program.js').dispose();
  // What leaves is a whole buffer, whatever part of it a view shows.
  const main = quickJs.evalCode(`(request) => ${GUEST}.main(request).slice().buffer`);
  const { version } = require('quickjs-wasi/package.json') as { version: string };
  return {
    name: `quickjs-wasi ${version}`,
    call: async (request) => {
      const argument = quickJs.newUint8Array(request);
      try {
        return quickJs.callFunction(main, quickJs.undefined, argument).consume((reply) => reply.toUint8Array());
      } catch (error) {
        throw error instanceof JSException ? plainError(error) : error;
      } finally {
        argument.dispose();
      }
    },
    close: async () => quickJs.dispose(),
  };
}

/** The guest's error, without what it holds of the guest. */
function plainError(exception: JSException): Error {
  const { message, stack } = exception;
  exception.dispose();
  return Object.assign(new Error(message), { stack: `${message}\n${stack}` });
}
