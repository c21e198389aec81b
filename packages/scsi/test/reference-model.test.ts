import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodeFullStatus,
  persistentReserveIn,
  persistentReserveOut,
  ReserveIn,
  ReserveOut,
  read10,
  testUnitReady,
  write10,
} from '../src/index.js';
import { type ModelRequest, ReferenceModel } from './reference-model.js';
import { Rig } from './rig.js';

const INITIATORS = [1, 2, 3, 4];
/** Reads whatever happens, and takes part in nothing. */
const OBSERVER = 5;
const BLOCK = new Uint8Array(512);

const ACTIONS: { readonly [kind in ModelRequest['kind']]: ReserveOut } = {
  register: ReserveOut.register,
  ignore: ReserveOut.registerAndIgnoreExistingKey,
  reserve: ReserveOut.reserve,
  release: ReserveOut.release,
  clear: ReserveOut.clear,
  preempt: ReserveOut.preempt,
  'preempt-abort': ReserveOut.preemptAndAbort,
};

/** Few keys, so that they collide; the own key most of the time, so that something happens. */
const key = fc.integer({ min: 0, max: 3 });
const type = fc.constantFrom(1, 3, 5, 6, 7, 8);
const step = fc.record({
  id: fc.constantFrom(...INITIATORS),
  usesOwnKey: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  request: fc.oneof(
    fc.record({ kind: fc.constantFrom('register' as const, 'ignore' as const), rk: key, sark: key }),
    fc.record({ kind: fc.constantFrom('reserve' as const, 'release' as const), rk: key, type }),
    fc.record({ kind: fc.constant('clear' as const), rk: key }),
    fc.record({ kind: fc.constantFrom('preempt' as const, 'preempt-abort' as const), rk: key, sark: key, type }),
  ),
});

function play(model: ReferenceModel, rig: Rig, id: number, request: ModelRequest): void {
  const expected = model.ask(id, request);
  const sark = 'sark' in request ? request.sark : 0;
  const requestType = 'type' in request ? request.type : 0;
  const command = persistentReserveOut(ACTIONS[request.kind], requestType, BigInt(request.rk), BigInt(sark));
  expect(rig.outcomeOf(id, command), 'outcome').toBe(expected.outcome);
  for (const each of INITIATORS) {
    expect(rig.outcome(each, testUnitReady()), `what ${each} is told`).toBe(expected.told.get(each) ?? '00');
    expect(rig.outcome(each, testUnitReady()), `and no more`).toBe('00');
    const rights = model.rights(each);
    expect(rig.outcome(each, read10(0, 1)), `read by ${each}`).toBe(rights.read ? '00' : '18');
    expect(rig.outcome(each, write10(0, 1), BLOCK), `write by ${each}`).toBe(rights.write ? '00' : '18');
  }
}

it('random requests of four initiators have the outcome, the effects and the unit attentions of the model', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
      const model = new ReferenceModel();
      const rig = new Rig().login(...INITIATORS, OBSERVER);
      for (const { id, usesOwnKey, request } of steps) {
        play(model, rig, id, usesOwnKey ? { ...request, rk: model.keyOf(id) } : request);
        const status = decodeFullStatus(rig.run(OBSERVER, persistentReserveIn(ReserveIn.readFullStatus)).data)!;
        expect(status.generation).toBe(model.generation);
        expect(
          status.registrations.map((each) => [each.port!.name.charCodeAt(16) - 96, Number(each.key), each.isHolder]),
        ).toEqual(model.registrants.map((each) => [each.id, each.key, model.holds(each.id)]));
      }
    }),
    { numRuns: 60 },
  );
});
