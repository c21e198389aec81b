import { type Nanos, SECOND } from '@quorate/kernel';
import { stateText } from '@quorate/rgmanager';
import type { JSX } from 'preact';
import type { LabRun } from '../model/lab-run.js';
import type { OutageRecord, Press } from '../model/outages.js';
import { clockText, secondsText } from './texts.js';

/** How much of the past the strip shows. */
const WINDOW: Nanos = 240 * SECOND;
const SCALE: Nanos = 30 * SECOND;

/** Presses of one kind that follow each other. */
interface Stretch {
  readonly from: Nanos;
  readonly count: number;
  readonly outcome: Press['outcome'];
}

/** Somebody presses F5 once a second: one tick for each press, outages bracketed. */
export function F5Strip({ run }: { readonly run: LabRun }): JSX.Element {
  const { outages, cluster, steps } = run.picture;
  const now = Math.max(run.now, cluster.at);
  const start = Math.max(0, now - WINDOW);
  const percent = (at: Nanos): number => ((at - start) / WINDOW) * 100;
  const current = outages.current(now);
  const shown = [...outages.ended.last(20), ...(current === undefined ? [] : [current])].filter(({ to }) => to > start);
  const marks = Array.from({ length: WINDOW / SCALE + 1 }, (_, i) => (Math.ceil(start / SCALE) + i) * SCALE);
  const page = pageOf(run, current);
  return (
    <section class="panel f5" aria-labelledby="f5-title">
      <div class="f5-head">
        <h2 id="f5-title">F5, once a second</h2>
        <p class={`page page-${page.tone}`} data-page={page.tone}>
          {page.text}
        </p>
        <ServiceText run={run} />
        <p class="f5-counts">
          <span>
            <b>{outages.served}</b> served
          </span>
          <span>
            <b>{outages.failed}</b> failed
          </span>
        </p>
      </div>
      <div class="strip" role="img" aria-label={`${page.text}; ${outages.served} served, ${outages.failed} failed`}>
        {steps.steps.map(({ number, startedAt }) =>
          startedAt === undefined || startedAt < start ? null : (
            <span key={number} class="strip-step" style={{ left: `${percent(startedAt)}%` }}>
              {number}
            </span>
          ),
        )}
        {stretchesOf(outages.presses.last(WINDOW / SECOND + 2), start).map(({ from, count, outcome }) => (
          <span
            key={from}
            class={`ticks ticks-${outcome}`}
            style={{
              left: `${percent(from)}%`,
              width: `${((count * SECOND) / WINDOW) * 100}%`,
              '--ticks': count,
            }}
          />
        ))}
        {shown.map((outage) => (
          <span
            key={outage.from}
            class={`bracket ${outage.isOver ? '' : 'bracket-open'}`}
            style={{
              left: `${percent(Math.max(outage.from, start))}%`,
              width: `${((outage.to - Math.max(outage.from, start)) / WINDOW) * 100}%`,
            }}
          >
            <span>{secondsText(outage.to - outage.from)}</span>
          </span>
        ))}
        {marks.map((at) =>
          percent(at) > 97 ? null : (
            <span key={at} class="strip-mark" style={{ left: `${percent(at)}%` }}>
              {clockText(at).slice(0, 5)}
            </span>
          ),
        )}
      </div>
    </section>
  );
}

/** The service, its owner, and the agent that moves one of its resources. */
function ServiceText({ run }: { readonly run: LabRun }): JSX.Element {
  const { cluster, daemons } = run.picture;
  const { service } = cluster;
  if (service === undefined) return <p class="service">no service yet</p>;
  const owner = cluster.machines.get(service.owner);
  const mover = run.names.findIndex((_, i) => daemons.of(i + 1).agent !== '');
  // Nobody writes another record before the owner is fenced.
  const isGone = owner !== undefined && owner.power !== 'up' && owner.power !== 'paused';
  return (
    <p class="service">
      <b>{service.name}</b> {stateText(service.state)}
      {owner === undefined ? '' : ` on ${owner.name}`}
      {isGone ? `, which is ${owner.power}` : ''}
      {mover < 0 ? '' : `; ${run.names[mover]}: ${daemons.of(mover + 1).agent}`}
    </p>
  );
}

interface PageState {
  readonly text: string;
  readonly tone: 'none' | 'served' | 'away';
}

function pageOf({ picture }: LabRun, current: OutageRecord | undefined): PageState {
  if (current !== undefined) {
    return { text: `the page is away for ${secondsText(current.to - current.from)}`, tone: 'away' };
  }
  if (picture.outages.served === 0) return { text: 'nobody serves the page yet', tone: 'none' };
  return { text: 'the page is served', tone: 'served' };
}

/** What lies before `start` is left out. */
function stretchesOf(presses: readonly Press[], start: Nanos): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const { sentAt, outcome } of presses) {
    if (sentAt < start) continue;
    const last = stretches.at(-1);
    const follows = last?.outcome === outcome && sentAt - (last.from + last.count * SECOND) < SECOND;
    if (follows) stretches[stretches.length - 1] = { ...last, count: last.count + 1 };
    else stretches.push({ from: sentAt, count: 1, outcome });
  }
  return stretches;
}
