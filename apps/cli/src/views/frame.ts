import { type Nanos, SECOND } from '@quorate/kernel';
import type { ClusterPicture, MachinePicture, Observed, ServicePicture } from '@quorate/lab';
import { ServiceState, stateText } from '@quorate/rgmanager';
import type { Colours } from '../command-io.js';
import { clip } from './text-width.js';

/** The step that runs. */
export interface StepPicture {
  readonly title: string;
  /** From 1; 0 before the first. */
  readonly number: number;
  readonly of: number;
  readonly startedAt: Nanos;
  readonly observed: readonly Observed[];
}

export interface FrameContent {
  readonly cluster: ClusterPicture;
  readonly step: StepPicture;
  /** Cluster seconds per second, at most. */
  readonly speed: number;
  readonly lostSlices: number;
}

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

const NODE_STATE = { up: 'green', booting: 'yellow', paused: 'magenta', off: 'dim' } as const;

/** Room for a frame of five nodes in which something of the current step can be seen. */
export const LEAST_SIZE: FrameSize = { columns: 72, rows: 20 };

/** Lines for what was observed in the current step; the oldest make room. */
const MOST_OBSERVED = 12;

/**
 * The lines of one picture of the run: never more, and never longer, than the terminal takes.
 *
 * Their number depends on the terminal only, so that nothing jumps and a line changes where it stands.
 */
export function frameOf(content: FrameContent, { columns, rows }: FrameSize, colours: Colours): readonly string[] {
  const { cluster, step, speed, lostSlices } = content;
  const { bold, dim, yellow } = colours;
  const names = Math.max(...[...cluster.machines.values()].map(({ name }) => name.length));
  const clock = `${seconds(cluster.at)} of cluster time, at most ${speed} a second`;
  const lost = lostSlices > 0 ? yellow(`   ${lostSlices} slices lost to a busy machine`) : '';
  const above = [
    bold('quorate story'),
    '',
    dim(`    ${'node'.padEnd(names)}   power     ${'ring'.padEnd(ringWidth(cluster))}   quorum      gfs2      service`),
    ...[...cluster.machines].map(([id, machine]) => machineLine(cluster, id, machine, names, colours)),
    '',
    `  votes    ${votesText(cluster, colours)}`,
    `  service  ${serviceText(cluster, colours)}`,
    `  F5       ${ticksText(cluster, columns - 11, colours)}`,
    `           ${pageText(cluster, colours)}`,
    '',
    stepLine(step, cluster.at, colours),
  ];
  const below = ['', `  ${dim(clock)}${lost}`];
  // The line after the last belongs to the cursor.
  const lines = Math.max(0, rows - 1);
  const room = Math.min(MOST_OBSERVED, Math.max(0, lines - above.length - below.length));
  const observed = step.observed.slice(Math.max(0, step.observed.length - room));
  const blanks = new Array<string>(room - observed.length).fill('');
  return [...above, ...observed.map((each) => observedLine(each, colours)), ...blanks, ...below]
    .slice(0, lines)
    .map((line) => clip(line, columns));
}

function seconds(span: Nanos): string {
  return `${Math.floor(span / SECOND)} s`;
}

function ringWidth(cluster: ClusterPicture): number {
  return Math.max('ring'.length, [...cluster.machines.keys()].join(' ').length);
}

function machineLine(
  cluster: ClusterPicture,
  id: number,
  machine: MachinePicture,
  names: number,
  colours: Colours,
): string {
  const { green, red, cyan, dim } = colours;
  const { service } = cluster;
  const { name, power, votes, ring, isMounted } = machine;
  const powerColour = colours[NODE_STATE[power as keyof typeof NODE_STATE] ?? 'reset'];
  const members = [...cluster.machines.keys()].map((member) => (ring.includes(member) ? String(member) : dim('·')));
  const quorum = votes === undefined ? dim('-'.padEnd(9)) : votes.isQuorate ? green('quorate  ') : red('inquorate');
  const columns = [
    `${powerColour(power === 'off' ? '○' : '●')} ${name.padEnd(names)}`,
    powerColour(power.padEnd(7)),
    members.join(' ') + ' '.repeat(ringWidth(cluster) - members.length * 2 + 1),
    quorum,
    isMounted ? cyan('mounted') : dim('-'.padEnd(7)),
    service?.owner === id && isRunning(machine) && service.state !== ServiceState.STOPPED
      ? serviceColour(service, colours)(`◀ ${stateText(service.state)}`)
      : '',
  ];
  return `  ${columns.join('   ')}`.trimEnd();
}

function isRunning({ power }: MachinePicture): boolean {
  return power === 'up' || power === 'paused';
}

function serviceColour({ state }: ServicePicture, { green, yellow, red }: Colours): (text: string) => string {
  return state === ServiceState.STARTED ? green : state === ServiceState.FAILED ? red : yellow;
}

function votesText(cluster: ClusterPicture, { green, red, dim }: Colours): string {
  const { votes } = cluster;
  if (votes === undefined) return dim('no node is in a cluster');
  const { isQuorate, quorum, total, expected, device } = votes;
  const verdict = isQuorate ? green('quorate') : red('inquorate');
  return `${verdict}: ${total} of ${expected} votes, ${quorum} needed; nodes ${total - device}, quorum disk ${device}`;
}

function serviceText(cluster: ClusterPicture, colours: Colours): string {
  const { service } = cluster;
  if (service === undefined) return colours.dim('not known yet');
  const owner = cluster.machines.get(service.owner);
  const state = serviceColour(service, colours)(stateText(service.state));
  const where = owner === undefined ? '' : ` on ${owner.name}`;
  // Nobody writes another record before the owner is fenced.
  const isGone = owner !== undefined && !isRunning(owner);
  return `${colours.bold(service.name)} ${state}${where}${isGone ? colours.red(`, which is ${owner.power}`) : ''}`;
}

function ticksText(cluster: ClusterPicture, room: number, { green, red, dim }: Colours): string {
  const ticks = cluster.ticks.slice(-Math.max(1, room));
  if (ticks.length === 0) return dim('nobody has pressed it yet');
  // Neighbours of one colour share its escapes: a line of a hundred presses stays short.
  const runs: { isServed: boolean; count: number }[] = [];
  for (const isServed of ticks) {
    const last = runs.at(-1);
    if (last?.isServed === isServed) last.count += 1;
    else runs.push({ isServed, count: 1 });
  }
  return runs.map(({ isServed, count }) => (isServed ? green('▪'.repeat(count)) : red('×'.repeat(count)))).join('');
}

function pageText(cluster: ClusterPicture, { green, red, dim }: Colours): string {
  const { outage, wasServed, at } = cluster;
  if (outage !== undefined) {
    return red(`the page is away for ${((at - outage.from) / SECOND).toFixed(1)} s, ${outage.failed} F5 failed`);
  }
  return wasServed ? green('the page is served') : dim('nobody serves the page yet');
}

function stepLine({ title, number, of, startedAt }: StepPicture, at: Nanos, { bold, cyan, dim }: Colours): string {
  if (number === 0) return `  ${bold(title)}`;
  const bar = `${cyan(`${'█'.repeat(number - 1)}▓`)}${dim('░'.repeat(of - number))}`;
  return `  ${bar} ${number}/${of} ${bold(title)} ${dim(`for ${seconds(at - startedAt)}`)}`;
}

function observedLine({ text, isTrue, found }: Observed, { green, red }: Colours): string {
  const line = isTrue ? `${green('✓')} ${text}` : `${red('✗')} ${text}: ${found}`;
  return `    ${line.replace(/\s+/g, ' ')}`;
}
