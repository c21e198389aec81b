import type { ControldView, ControlledLockspaceView } from './controld-view.js';
import type { DlmView } from './dlm.js';
import { secondsBetween, waitedFor } from './lockspace-health.js';
import type { LockspaceView, LockView, ResourceView } from './lockspace-view.js';
import { isCompatible, Mode } from './mode.js';

/** What a node says of itself. */
export interface NodeViews {
  readonly dlm: DlmView;
  readonly controld: ControldView;
}

/** All nodes that have answered, by their ids. */
export type ClusterViews = ReadonlyMap<number, NodeViews>;

/** A lock by its owner's node and its id there. */
export interface LockName {
  readonly lockspace: string;
  readonly node: number;
  readonly lkid: number;
}

/**
 * Why a lock has not been granted: a chain of sentences, each of which is the reason for the one before.
 *
 * Asks no lock manager for anything: it reads what nodes show of themselves, and says so where a node has not answered.
 */
export function whyNot(views: ClusterViews, { lockspace, node, lkid }: LockName): readonly string[] {
  const owner = viewOf(views, node, lockspace);
  if (typeof owner === 'string') return [owner];
  const found = findLock(owner, lkid);
  if (found === undefined)
    return [`node ${node} has no lock ${hexId(lkid)} in lockspace ${lockspace}`, ...stopped(views, node, lockspace)];
  const { resource, lock } = found;
  const who = `lock ${hexId(lkid)} of node ${node}`;
  const name = `"${resource.name}"`;
  if (lock.status === 'granted' && lock.waitType === 0) return [`${who} holds ${lock.grmode} on ${name}`];
  const wish = lock.grmode === 'IV' ? lock.rqmode : `${lock.rqmode} instead of ${lock.grmode}`;
  const first = `${who} waits for ${wish} on ${name}`;
  const standstill = stopped(views, node, lockspace);
  if (standstill.length > 0) return [first, ...standstill];
  return [first, ...reasons(views, owner, resource, lock)];
}

/** The resources of those locks of a node, for which all nodes are to be asked what they have of them. */
export function resourcesOf(view: LockspaceView, lkids: readonly number[]): readonly string[] {
  return [...new Set(lkids.flatMap((lkid) => findLock(view, lkid)?.resource.name ?? []))];
}

/** The lock ids of a node that are not granted, or wait for an answer. */
export function waitingLocks(view: LockspaceView): readonly number[] {
  const isWaiting = (lock: LockView): boolean =>
    !lock.isMasterCopy && (lock.status !== 'granted' || lock.waitType !== 0);
  const locks = [...view.resources.flatMap(locksOf), ...view.waiters];
  return [...new Set(locks.filter(isWaiting).map(({ lkid }) => lkid))].sort((a, b) => a - b);
}

function reasons(views: ClusterViews, owner: LockspaceView, r: ResourceView, lock: LockView): readonly string[] {
  const { name: lockspace, nodeid: node } = owner;
  if (r.lookup.some(({ lkid }) => lkid === lock.lkid)) {
    return [
      `lock ${hexId(r.firstLkid)} of the same node looks the master of "${r.name}" up first`,
      ...lookup(views, owner, r),
    ];
  }
  if (r.master === 0) return lookup(views, owner, r);
  const master = viewOf(views, r.master, lockspace);
  if (typeof master === 'string') return [`node ${r.master} is the master of "${r.name}"`, master];
  const standstill = stopped(views, r.master, lockspace);
  if (standstill.length > 0) return standstill;
  const mastered = master.resources.find(({ name, isActive }) => isActive && name === r.name);
  const twin = mastered && locksOf(mastered).find((other) => isTwin(other, node, lock, r.master === node));
  if (mastered === undefined || twin === undefined) {
    return [`its message is under way to node ${r.master}, the master of "${r.name}"`];
  }
  if (twin.status === 'granted') return [`node ${r.master} has granted it, and the message is under way`];
  return inTheWay(views, master, mastered, twin);
}

function lookup(views: ClusterViews, owner: LockspaceView, r: ResourceView): readonly string[] {
  const first = `node ${r.dir}, the directory node of "${r.name}", is asked for its master`;
  const dir = viewOf(views, r.dir, owner.name);
  return typeof dir === 'string' ? [first, dir] : [first, ...stopped(views, r.dir, owner.name)];
}

function isTwin(other: LockView, node: number, lock: LockView, isLocal: boolean): boolean {
  return isLocal ? other.lkid === lock.lkid : other.isMasterCopy && other.nodeid === node && other.remid === lock.lkid;
}

/** Holders whose mode is in the way, then those who were there first. */
function inTheWay(views: ClusterViews, ls: LockspaceView, r: ResourceView, lock: LockView): readonly string[] {
  const who = (other: LockView): string => ownerText(views, ls, other);
  const master = ls.nodeid;
  const wanted = Mode[lock.rqmode];
  const holders = [...r.granted, ...r.converting].filter(
    (held) => held.lkid !== lock.lkid && !isCompatible(Mode[held.grmode], wanted),
  );
  const lines = holders.map((held) => `${who(held)} holds ${held.grmode}${convertingText(held)}`);
  const isConverting = lock.status === 'convert';
  const queue = isConverting ? r.converting : r.waiting;
  const at = queue.findIndex(({ lkid }) => lkid === lock.lkid);
  const before = [...(isConverting ? [] : r.converting), ...queue.slice(0, at)];
  const ahead = before.filter((other) => !holders.includes(other));
  for (const other of ahead) lines.push(`${who(other)} waits for ${other.rqmode} before it`);
  if (lines.length === 0) return [`nothing is in its way: node ${master} is to grant it`];
  const kind = isConverting ? 'conversions' : 'requests';
  return [`it is number ${at + 1} of ${queue.length} ${kind} at node ${master}, the master`, ...lines];
}

function convertingText({ status, rqmode }: LockView): string {
  return status === 'convert' ? `, and waits for ${rqmode}` : '';
}

/** Which process has a lock, only the node of that process knows. */
function ownerText(views: ClusterViews, master: LockspaceView, lock: LockView): string {
  const [node, lkid] = lock.isMasterCopy ? [lock.nodeid, lock.remid] : [master.nodeid, lock.lkid];
  const owner = lock.isMasterCopy ? viewOf(views, node, master.name) : master;
  const process = typeof owner === 'string' ? 0 : (findLock(owner, lkid)?.lock.process ?? 0);
  return `lock ${hexId(lkid)} of node ${node}${process === 0 ? '' : ` (process ${process})`}`;
}

// Lockspaces that stand still

/** Why nothing is granted in a lockspace on a node; empty when it runs. */
function stopped(views: ClusterViews, node: number, lockspace: string): readonly string[] {
  const { dlm, controld } = views.get(node)!;
  const ls = controld.lockspaces.find(({ name }) => name === lockspace);
  const kernel = dlm.lockspaces.find(({ name }) => name === lockspace);
  if (kernel?.isRunning === true && ls?.newChange === undefined) return [];
  if (ls?.newChange === undefined) return kernel === undefined ? [] : recovering(views, kernel);
  const { wait, waitingSince, seq } = ls.newChange;
  const age = secondsBetween(waitingSince, controld.now);
  const first = `lockspace ${lockspace} stands still on node ${node}: change ${seq} waits for`;
  const since = `since ${age} s`;
  const nodes = waitedFor(ls, controld);
  switch (wait) {
    case 'fencing':
      return [`${first} fencing of ${nodesText(nodes)} ${since}`, ...unfenced(ls, controld, nodes)];
    case 'quorum':
      return [`${first} quorum ${since}`, quorumText(controld)];
    case 'fs':
      return [`${first} the file system to note that ${nodesText(nodes)} failed ${since}`];
    case 'messages':
      return [
        `${first} the START of ${nodesText(nodes)} ${since}`,
        ...nodes.flatMap((other) => behind(views, other, node, lockspace)),
      ];
    case 'ringid':
      return [
        `${first} cman and the process groups to be on one ring ${since} (${controld.ringSeq} and ${controld.cpgRingSeq})`,
      ];
    default:
      return [`${first} the lock manager to stop ${since}`];
  }
}

/** Complaint no. 1: nobody says that a fence device does not do its work. */
function unfenced(
  ls: ControlledLockspaceView,
  { now, victims, isQuorate }: ControldView,
  nodes: readonly number[],
): readonly string[] {
  if (victims === undefined) return ['fenced has not said yet whom it has to fence'];
  const lines = nodes.map((node) => {
    const failed = ls.nodes.find(({ nodeid }) => nodeid === node);
    const age =
      failed === undefined || failed.failTime === 0
        ? ''
        : `, which failed ${secondsBetween(failed.failTime, now)} s ago`;
    if (!victims.includes(node)) return `fenced knows nothing of node ${node}${age}`;
    return `fenced has not dealt with node ${node}${age}: fence it, or say so with fence_ack_manual`;
  });
  return isQuorate ? lines : [...lines, 'fenced fences nobody without quorum'];
}

function quorumText({ nodes }: ControldView): string {
  const members = nodes.filter(({ isMember }) => isMember).map(({ nodeid }) => nodeid);
  return `the cluster is not quorate: of it there ${members.length === 1 ? 'is' : 'are'} only ${nodesText(members)}`;
}

/** Why another node has sent no START. */
function behind(views: ClusterViews, node: number, asking: number, lockspace: string): readonly string[] {
  if (!views.has(node)) return [unreachable(node)];
  const ls = views.get(node)!.controld.lockspaces.find(({ name }) => name === lockspace);
  // Who waits for messages, too, has sent his own.
  if (node === asking || ls?.newChange?.wait === 'messages') return [];
  return ls === undefined ? [`node ${node} does not have lockspace ${lockspace}`] : stopped(views, node, lockspace);
}

/** Bits of 6.1 that a member sets when it has done a step of its recovery. */
const STEPS = [
  [1, 'members'],
  [4, 'the directory'],
  [16, 'locks'],
  [64, 'the end'],
] as const;

function recovering(views: ClusterViews, { name, nodeid, members, recoverStatus }: LockspaceView): readonly string[] {
  const step = STEPS.find(([bit]) => (recoverStatus & (bit << 1)) === 0) ?? STEPS[3];
  const [bit, what] = step;
  const late = members.filter((member) => {
    const other = views.get(member)?.dlm.lockspaces.find((ls) => ls.name === name);
    return other === undefined || (!other.isRunning && (other.recoverStatus & bit) === 0);
  });
  const lines = late.map((member) => (views.has(member) ? `node ${member} is not there yet` : unreachable(member)));
  return [`lockspace ${name} recovers on node ${nodeid}: it is at ${what}`, ...lines];
}

// Views

function viewOf(views: ClusterViews, node: number, lockspace: string): LockspaceView | string {
  const view = views.get(node);
  if (view === undefined) return unreachable(node);
  const found = view.dlm.lockspaces.find(({ name }) => name === lockspace);
  return found ?? `node ${node} does not have lockspace ${lockspace}`;
}

function unreachable(node: number): string {
  return `node ${node} does not answer`;
}

function findLock(
  view: LockspaceView,
  lkid: number,
): { readonly resource: ResourceView; readonly lock: LockView } | undefined {
  for (const resource of view.resources) {
    const lock = locksOf(resource).find((each) => each.lkid === lkid);
    if (lock !== undefined) return { resource, lock };
  }
  // Until its master has answered it is on no queue.
  const lock = view.waiters.find((waiter) => waiter.lkid === lkid);
  const resource = view.resources.find(({ name }) => name === lock?.resource);
  return lock === undefined || resource === undefined ? undefined : { resource, lock };
}

function locksOf({ granted, converting, waiting, lookup }: ResourceView): readonly LockView[] {
  return [...granted, ...converting, ...waiting, ...lookup];
}

function nodesText(nodes: readonly number[]): string {
  const [first = 'no node', ...more] = nodes;
  return nodes.length < 2
    ? nodes.length === 0
      ? first.toString()
      : `node ${first}`
    : `nodes ${[first, ...more].join(', ')}`;
}

function hexId(lkid: number): string {
  return lkid.toString(16).padStart(8, '0');
}
