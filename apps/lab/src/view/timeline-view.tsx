import { type Nanos, SECOND } from '@quorate/kernel';
import type { Phase } from '@quorate/lab';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LabRun } from '../model/lab-run.js';
import type { OutageRecord } from '../model/outages.js';
import type { Recovery } from '../model/recoveries.js';
import type { StepRecord } from '../model/story-steps.js';
import { clockText, secondsText } from './texts.js';

/** Seconds that fill the bar of an outage. */
const FULL_BAR = 30;
/** Below that a segment has no room for its figure. */
const LEAST_FIGURE = 3.4;
const MOST_FREE_ROWS = 12;

const PHASES = ['stop', 'detection', 'fencing', 'lock recovery', 'journal', 'start', 'ARP'] as const;

/** Steps of the walk-through, and every outage with its phases. */
export function TimelineView({ run }: { readonly run: LabRun }): JSX.Element {
  const [open, setOpen] = useState('');
  const { steps, outages } = run.picture;
  const current = outages.current(run.now);
  const all = [...outages.ended.last(50), ...(current === undefined ? [] : [current])];
  const isStory = run.mode === 'story';
  const shownSteps = isStory ? steps.steps : [];
  const free = all
    .filter(({ from }) => !isStory || !shownSteps.some((step) => isIn(step, from)))
    .slice(-MOST_FREE_ROWS);
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <div class="panel-head">
        <h2 id="timeline-title">{isStory ? 'Walk-through' : 'Outages'}</h2>
        <ul class="legend" aria-label="phases of an outage">
          {PHASES.map((name) => (
            <li key={name}>
              <span class={`key phase-${name.replace(' ', '-')}`} /> {name}
            </li>
          ))}
        </ul>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <ol class="steps" tabIndex={0} aria-label="steps and outages">
        {shownSteps.map((step) => (
          <StepRow
            key={step.id}
            run={run}
            step={step}
            outage={longestIn(step, all)}
            recovery={run.picture.recoveries.all.filter(({ from }) => isIn(step, from)).at(-1)}
            isOpen={open === step.id}
            onToggle={() => setOpen(open === step.id ? '' : step.id)}
          />
        ))}
        {free.map((outage) => (
          <li key={outage.from} class="step step-free">
            <span class="step-number">{clockText(outage.from).slice(0, 5)}</span>
            <span class="step-title">the page {outage.isOver ? 'was' : 'is'} away</span>
            <OutageCells run={run} outage={outage} />
          </li>
        ))}
        {shownSteps.length + free.length === 0 ? (
          <li class="steps-none">
            The page has not been away yet. Switch a machine off, stop it, pull its cables, or type{' '}
            <code>shutdown -h now</code>: each time that nobody serves the page is taken apart here.
          </li>
        ) : null}
      </ol>
    </section>
  );
}

interface StepRowProps {
  readonly run: LabRun;
  readonly step: StepRecord;
  readonly outage: OutageRecord | undefined;
  /** Of members that were lost in it; shown where the page was not away. */
  readonly recovery: Recovery | undefined;
  /** Whether everything that was observed in it is shown. */
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** Observations shown below the step that runs. */
const MOST_OBSERVED = 3;

function StepRow({ run, step, outage, recovery, isOpen, onToggle }: StepRowProps): JSX.Element {
  const { number, title, startedAt, endedAt, observed } = step;
  const misses = observed.filter(({ isTrue }) => !isTrue);
  const state =
    startedAt === undefined ? 'pending' : endedAt === undefined ? 'running' : misses.length > 0 ? 'bad' : 'done';
  const latest = state === 'running' ? observed.slice(-MOST_OBSERVED) : misses.slice(0, MOST_OBSERVED);
  const shown = isOpen ? observed : latest;
  return (
    <li
      class={`step step-${state} ${outage === undefined ? 'step-wide' : ''}`}
      data-step={step.id}
      data-state={state}
      aria-current={state === 'running' ? 'step' : undefined}
    >
      <span class="step-number">{number}</span>
      <button
        type="button"
        class="step-title"
        aria-expanded={isOpen}
        disabled={observed.length === 0}
        title={observed.length === 0 ? title : `${title}: what was observed`}
        onClick={onToggle}
      >
        {title}
        <span class="unseen">, {state}</span>
      </button>
      {outage === undefined ? (
        <>
          <span class="step-time">{startedAt === undefined ? '' : secondsText((endedAt ?? run.now) - startedAt)}</span>
          {recovery === undefined ? null : <RecoveryBar recovery={recovery} />}
        </>
      ) : (
        <OutageCells run={run} outage={outage} />
      )}
      {shown.length > 0 ? (
        <ul class="observed">
          {shown.map(({ text, isTrue, found }) => (
            <li key={text} class={isTrue ? 'observed-true' : 'observed-false'}>
              {isTrue ? text : `${text}: ${found.split('\n')[0]}`}
            </li>
          ))}
        </ul>
      ) : null}
    </li>
  );
}

function OutageCells({ run, outage }: { readonly run: LabRun; readonly outage: OutageRecord }): JSX.Element {
  const { from, to, ownerBefore, ownerAfter, phases, isOver } = outage;
  const nameOf = (node: number): string => run.names[node - 1]?.replace(/^my-/, '') ?? '–';
  return (
    <>
      <span class="step-owner">
        {nameOf(ownerBefore)} → {isOver ? nameOf(ownerAfter) : '…'}
      </span>
      <span class="step-outage">{secondsText(to - from)}</span>
      <PhaseBar phases={phases} total={to - from} />
    </>
  );
}

/** What was done about lost members while the page was there all the time. */
function RecoveryBar({ recovery: { phases } }: { readonly recovery: Recovery }): JSX.Element {
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  return (
    <span class="bar-quiet">
      <PhaseBar phases={phases} total={total * SECOND} />
    </span>
  );
}

function PhaseBar({ phases, total }: { readonly phases: readonly Phase[]; readonly total: Nanos }): JSX.Element {
  const text = phases.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ');
  const known = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  const rest = total / SECOND - known;
  const width = (seconds: number): string => `${Math.min(100, (seconds / FULL_BAR) * 100)}%`;
  return (
    <span class="bar" role="img" aria-label={text === '' ? 'nothing has ended yet' : text} title={text}>
      {phases.map(({ name, seconds }) => (
        <span key={name} class={`segment phase-${name.replace(' ', '-')}`} style={{ width: width(seconds) }}>
          {seconds >= LEAST_FIGURE ? seconds.toFixed(1) : ''}
        </span>
      ))}
      {rest > 0.05 ? <span class="segment segment-open" style={{ width: width(rest) }} /> : null}
    </span>
  );
}

function isIn({ startedAt, endedAt }: StepRecord, at: Nanos): boolean {
  return startedAt !== undefined && at >= startedAt && at <= (endedAt ?? Infinity);
}

function longestIn(step: StepRecord, outages: readonly OutageRecord[]): OutageRecord | undefined {
  const inside = outages.filter(({ from }) => isIn(step, from));
  return inside.sort((a, b) => b.to - b.from - (a.to - a.from))[0];
}
