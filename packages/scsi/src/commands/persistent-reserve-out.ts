import { fromHex, type Nanos, viewOf } from '@quorate/kernel';
import { Opcode, ReserveOut } from '../opcode.js';
import { decodeRegisterAndMoveList, decodeReserveOutList } from '../reservation/parameter-list.js';
import type { ReservationRequest } from '../reservation/persistent-reservations.js';
import { INTERNAL_TARGET_FAILURE, invalidFieldInParameterList, type Sense } from '../sense.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import { parameterListAt } from './transfer.js';

/** One indivisible step each, carried out when the service of the command ends. */
export const PERSISTENT_RESERVE_OUT: readonly Command[] = [
  action('REGISTER', ReserveOut.register),
  action('RESERVE', ReserveOut.reserve),
  action('RELEASE', ReserveOut.release),
  action('CLEAR', ReserveOut.clear),
  action('PREEMPT', ReserveOut.preempt),
  action('PREEMPT AND ABORT', ReserveOut.preemptAndAbort),
  action('REGISTER AND IGNORE EXISTING KEY', ReserveOut.registerAndIgnoreExistingKey),
  action('REGISTER AND MOVE', ReserveOut.registerAndMove),
];

function action(name: string, serviceAction: ReserveOut): Command {
  return {
    name: `PERSISTENT RESERVE OUT (${name})`,
    opcode: Opcode.persistentReserveOut,
    serviceAction,
    usage: fromHex('5f 1f ff 00 00 ff ff ff ff 00'),
    service: 'other',
    transfer: parameterListAt(5, 4),
    execute(unit, request, reply, now) {
      reserveOut(unit, request, serviceAction, reply, now);
    },
  };
}

function reserveOut(
  unit: UnitContext,
  request: CommandRequest,
  serviceAction: ReserveOut,
  reply: Reply,
  now: Nanos,
): void {
  const parsed = parse(unit, request, serviceAction);
  if (!('action' in parsed)) return reply.check(parsed);
  const before = unit.reservations.snapshot();
  const outcome = unit.reservations.out(parsed);
  switch (outcome.kind) {
    case 'done':
      if (!unit.keepReservations(before)) return reply.check(INTERNAL_TARGET_FAILURE);
      return unit.reservationsChanged(now, parsed, outcome);
    case 'conflict':
      return reply.conflict();
    case 'refused':
      return reply.check(outcome.sense);
  }
}

function parse(unit: UnitContext, request: CommandRequest, serviceAction: ReserveOut): ReservationRequest | Sense {
  const length = viewOf(request.cdb).getUint32(5);
  return serviceAction === ReserveOut.registerAndMove
    ? parseRegisterAndMove(unit, request, length)
    : parseOther(unit, request, serviceAction, length);
}

function parseOther(
  unit: UnitContext,
  request: CommandRequest,
  serviceAction: ReserveOut,
  length: number,
): ReservationRequest | Sense {
  const list = decodeReserveOutList(serviceAction, length, request.dataOut);
  if (!list.ok) return list.sense;
  const { initiatorPorts, ...parameters } = list.value;
  const alsoRegister = initiatorPorts?.map((port) => unit.target.nexusOf(port));
  if (alsoRegister?.includes(undefined) === true) return invalidFieldInParameterList(28);
  return {
    ...common(request, serviceAction),
    ...parameters,
    alsoRegister: alsoRegister as readonly number[] | undefined,
    destination: undefined,
    unregister: false,
  };
}

function parseRegisterAndMove(unit: UnitContext, request: CommandRequest, length: number): ReservationRequest | Sense {
  const list = decodeRegisterAndMoveList(length, request.dataOut);
  if (!list.ok) return list.sense;
  const { key, serviceActionKey, aptpl, unregister, relativeTargetPort, destination } = list.value;
  const nexus = relativeTargetPort === unit.target.relativePort ? unit.target.nexusOf(destination) : undefined;
  return {
    ...common(request, ReserveOut.registerAndMove),
    key,
    serviceActionKey,
    aptpl,
    unregister,
    allTargetPorts: false,
    alsoRegister: undefined,
    destination: nexus,
  };
}

function common(
  { cdb, from }: CommandRequest,
  action: ReserveOut,
): Pick<ReservationRequest, 'nexus' | 'action' | 'scope' | 'type'> {
  const scopeAndType = cdb[2]!;
  return { nexus: from.nexus.id, action, scope: scopeAndType >> 4, type: scopeAndType & 0x0f };
}
