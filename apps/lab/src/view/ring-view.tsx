import type { JSX } from 'preact';
import type { LabRun } from '../model/lab-run.js';

const CENTRE = 120;
const RADIUS = 82;
const OUTSIDE = 100;

/** A ring as its members have it, in the order in which the token goes round; the dead belong to it until they are missed. */
interface RingGroup {
  readonly ring: string;
  readonly members: readonly number[];
}

/** The ring with its members; who belongs to none stands outside. */
export function RingView({ run }: { readonly run: LabRun }): JSX.Element {
  const { cluster } = run.picture;
  const count = cluster.machines.size;
  const groups = groupsOf(run);
  const [largest] = groups;
  const state = ringStateOf(run, largest);
  const text = groups.length === 0 ? 'no ring' : groups.map(({ members }) => `ring of ${members.join(' ')}`).join(', ');
  return (
    <section class="panel ring" aria-labelledby="ring-title">
      <h2 id="ring-title">Ring</h2>
      <svg
        viewBox="0 0 240 240"
        role="img"
        aria-label={`${text}, ${state}`}
        data-ring={largest?.members.join(' ') ?? ''}
      >
        <circle class="ring-track" cx={CENTRE} cy={CENTRE} r={RADIUS} />
        {groups.map(({ ring, members }, i) => (
          <g key={ring} class={`ring-group ring-group-${Math.min(i, 2)} ring-${state}`}>
            {arcsOf(members, count, RADIUS - 7 * i).map((d) => (
              <path key={d} d={d} />
            ))}
          </g>
        ))}
        {state === 'operational' && largest !== undefined && largest.members.length > 1 && run.state === 'running' ? (
          <g class="token">
            <circle class="token-dot" cx={CENTRE} cy={CENTRE - RADIUS} r="4" />
          </g>
        ) : null}
        {[...cluster.machines].map(([id, { power, name }]) => {
          const group = groups.findIndex(({ members }) => members.includes(id));
          const [x, y] = pointAt(id, count, group < 0 ? OUTSIDE : RADIUS);
          return (
            <g key={id} class={`ring-node ring-node-${nodeStateOf(power, group >= 0)}`}>
              <circle cx={x} cy={y} r="15" />
              <text x={x} y={y + 5}>
                {name.replace(/^\D+/, '')}
              </text>
            </g>
          );
        })}
        <text class="ring-state" x={CENTRE} y={CENTRE - 8}>
          {state}
        </text>
        <text class="ring-id" x={CENTRE} y={CENTRE + 14}>
          {largest?.ring ?? ''}
        </text>
      </svg>
    </section>
  );
}

/** Rings that machines which run belong to, the largest first. */
function groupsOf({ picture }: LabRun): readonly RingGroup[] {
  const groups = new Map<string, readonly number[]>();
  for (const [id, { power, ring }] of picture.cluster.machines) {
    if (power === 'up' && ring.length > 0) groups.set(picture.daemons.of(id).ring, ring);
  }
  return [...groups].map(([ring, members]) => ({ ring, members })).sort((a, b) => b.members.length - a.members.length);
}

/** Operational only if all are: what one of them still has to do, all wait for. */
function ringStateOf({ picture }: LabRun, group: RingGroup | undefined): string {
  if (group === undefined) return 'no ring';
  const states = group.members.map((id) => picture.daemons.of(id).ringState);
  return states.find((state) => state !== 'operational' && state !== '') ?? 'operational';
}

function nodeStateOf(power: string, isMember: boolean): string {
  if (power === 'paused') return power;
  if (isMember) return power === 'up' ? 'in' : 'lost';
  return power === 'booting' ? power : 'out';
}

function angleOf(id: number, count: number): number {
  return ((id - 1) / count) * 2 * Math.PI - Math.PI / 2;
}

function pointAt(id: number, count: number, radius: number): readonly [number, number] {
  const angle = angleOf(id, count);
  return [CENTRE + radius * Math.cos(angle), CENTRE + radius * Math.sin(angle)];
}

/** From each member to the next, clockwise. */
function arcsOf(members: readonly number[], count: number, radius: number): readonly string[] {
  if (members.length < 2) return [];
  return members.map((from, i) => {
    const to = members[(i + 1) % members.length]!;
    const steps = (to - from + count) % count;
    const [x1, y1] = pointAt(from, count, radius);
    const [x2, y2] = pointAt(to, count, radius);
    return `M${x1.toFixed(1)} ${y1.toFixed(1)} A${radius} ${radius} 0 ${steps > count / 2 ? 1 : 0} 1 ${x2.toFixed(1)} ${y2.toFixed(1)}`;
  });
}
