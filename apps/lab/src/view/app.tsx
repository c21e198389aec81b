import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { JournalFilter } from '../model/journal.js';
import type { LabRun } from '../model/lab-run.js';
import type { Settings } from '../settings.js';
import { ControlBar } from './control-bar.js';
import { DisksView } from './disks-view.js';
import { F5Strip } from './f5-strip.js';
import { JournalView } from './journal-view.js';
import { MachineUnit } from './machine-unit.js';
import { QuorumMeter } from './quorum-meter.js';
import { RingView } from './ring-view.js';
import { TimelineView } from './timeline-view.js';

interface AppProps {
  readonly run: LabRun;
  readonly settings: Settings;
}

/** The whole lab on one page, as the run stands when it is drawn. */
export function App({ run, settings }: AppProps): JSX.Element {
  const [filter, setFilter] = useState<JournalFilter>('events');
  return (
    <div class={`lab lab-${run.state}`}>
      <ControlBar run={run} settings={settings} />
      <Trouble run={run} />
      <main>
        <section class="panel rack" aria-labelledby="rack-title">
          <h2 id="rack-title">Machines</h2>
          {run.topology.machines.map((spec) => (
            <MachineUnit
              key={spec.id}
              run={run}
              spec={spec}
              isSelected={filter === spec.name}
              onSelect={() => setFilter(spec.name)}
            />
          ))}
        </section>
        <div class="cluster">
          <RingView run={run} />
          <QuorumMeter run={run} />
        </div>
        <DisksView run={run} />
        <F5Strip run={run} />
        <TimelineView run={run} />
        <JournalView run={run} filter={filter} onFilter={setFilter} />
      </main>
    </div>
  );
}

/** What should not be: broken rules, and a run that ended by itself. */
function Trouble({ run }: { readonly run: LabRun }): JSX.Element | null {
  const { violations, trouble } = run;
  if (violations.length === 0 && trouble === '') return null;
  return (
    <div class="trouble" role="alert">
      {trouble === '' ? null : <p>{trouble.split('\n')[0]}</p>}
      {violations.slice(0, 3).map(({ invariant, at, message }) => (
        <p key={`${invariant} ${at}`}>
          {invariant} broken at {(at / 1e9).toFixed(3)} s: {message}
        </p>
      ))}
    </div>
  );
}
