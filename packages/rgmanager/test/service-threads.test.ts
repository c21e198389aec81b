import { expect, it } from 'vitest';
import { ServiceThreads } from '../src/manager/service-threads.js';
import { Runtime } from '../src/runtime/runtime.js';
import { suspend } from '../src/runtime/suspend.js';
import { Request } from '../src/state/request.js';
import { Result } from '../src/state/result.js';

it.each([
  ['a user who wants it enabled', Request.ENABLE, Result.ABORT],
  ['a node that relocates it', Request.START_REMOTE, Result.FAIL],
  ['a node that recovers it', Request.START_RECOVER, Result.FAIL],
])('when all services are stopped, %s behind another request is told', (_, request, code) => {
  const runtime = new Runtime(undefined);
  const threads = new ServiceThreads(runtime, function* () {
    yield* suspend<void>(() => {});
    return { code: Result.SUCCESS, owner: 0 };
  });
  const codes: number[] = [];
  runtime.enter(
    0,
    () => {},
    () => {
      threads.enqueue('service:a', { request: Request.STATUS });
      threads.enqueue('service:a', { request, respond: (outcome) => codes.push(outcome.code) });
      threads.enqueue('service:a', { request: Request.INIT });
    },
  );
  expect(codes).toEqual([code]);
});
