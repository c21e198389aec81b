import { isErrno, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import type { CmanCall } from '@quorate/node';
import type { CmanNodeStatus, CmanStatus } from '@quorate/quorum';
import {
  type ClustatMember,
  type ClustatQuery,
  type ClustatView,
  type ClusvcadmMember,
  finishClusvcadm,
  formatClustat,
  parseClustat,
  parseClusvcadm,
  prepareClusvcadm,
  RG_PORT,
  type RgReply,
  type RgRequest,
} from '@quorate/rgmanager';

const NO_CMAN = 'Could not connect to CMAN: Connection refused\n';

function askCman<Result>(os: Os, call: CmanCall): Task<Result | 'ECONNREFUSED'> {
  return os.call('cman', call) as Task<Result | 'ECONNREFUSED'>;
}

function* askRgmanager(os: Os, request: RgRequest): Task<RgReply> {
  const reply = yield* os.call('rgmanager', request);
  return isErrno(reply) ? { kind: 'unreachable' } : (reply as RgReply);
}

/** `clustat [-f] [-l|-x] [-m member] [-s service] [-i seconds] [-I] [-Q]`: the cluster and its services. */
export const clustat: Program = function* clustat(argv, os) {
  const command = parseClustat(argv);
  if (command.kind === 'end') {
    os.print(command.result.output);
    os.printError(command.result.errors);
    return command.result.status;
  }
  for (;;) {
    const view = yield* look(os, command.kind === 'show' ? command : undefined);
    if (view === undefined) {
      os.printError(NO_CMAN);
      return 1;
    }
    const { status, output, errors } = formatClustat(command, view);
    os.print(output);
    os.printError(errors);
    if (command.kind !== 'show' || command.intervalSec === 0) return status;
    yield* os.sleep(command.intervalSec * SECOND);
  }
};

/** What cman and rgmanager say now; undefined without cman, and before its first configuration. Services are asked for only if they are to be shown. */
function* look(os: Os, query: ClustatQuery | undefined): Task<ClustatView | undefined> {
  const status = yield* askCman<CmanStatus | undefined>(os, { kind: 'status' });
  const nodes = yield* askCman<readonly CmanNodeStatus[]>(os, { kind: 'nodes' });
  const listening = yield* askCman<readonly number[]>(os, { kind: 'listening', port: RG_PORT });
  if (status === undefined || isErrno(status) || isErrno(nodes) || isErrno(listening)) return undefined;
  const wantsServices = query !== undefined && query.member === undefined;
  const reply = wantsServices ? yield* askRgmanager(os, { kind: 'status', isFast: query.isFast }) : undefined;
  return {
    clusterName: status.clusterName,
    clusterId: status.clusterId,
    generation: status.generation,
    wall: os.wall().sec,
    isQuorate: status.isQuorate,
    members: nodes.map((node) => memberOf(node, listening, reply?.kind === 'status' ? reply : {})),
    services: reply?.kind === 'status' ? reply.services : undefined,
    ...(reply?.kind === 'result' && { refusal: reply.code }),
  };
}

function memberOf(
  { nodeId, name, state, isUs }: CmanNodeStatus,
  listening: readonly number[],
  { master, standby }: { readonly master?: number; readonly standby?: readonly number[] },
): ClustatMember {
  return {
    id: nodeId,
    name,
    isOnline: state === 'member',
    isLocal: isUs,
    hasRgmanager: listening.includes(nodeId),
    isQuorumDisk: nodeId === 0,
    ...(nodeId === master && { isMaster: true }),
    ...(standby?.includes(nodeId) && { isStandby: true }),
  };
}

/** `clusvcadm`: enables, disables, moves, restarts, freezes services; see `-h`. */
export const clusvcadm: Program = function* clusvcadm(argv, os) {
  const command = parseClusvcadm(argv);
  const nodes = yield* askCman<readonly CmanNodeStatus[]>(os, { kind: 'nodes' });
  const members: readonly ClusvcadmMember[] = isErrno(nodes)
    ? []
    : nodes
        .filter(({ nodeId }) => nodeId > 0)
        .map(({ nodeId, name, state }) => ({ id: nodeId, name, isOnline: state === 'member' }));
  const step = prepareClusvcadm(command, members);
  let result = step.kind === 'end' ? step.result : undefined;
  if (step.kind === 'ask') {
    os.print(step.output);
    const reply = yield* askRgmanager(os, step.request);
    result = finishClusvcadm(command, step.request, reply, members);
  }
  os.print(result!.output);
  os.printError(result!.errors);
  return result!.status;
};
