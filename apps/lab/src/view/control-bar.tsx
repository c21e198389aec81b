import { parseSeed } from '@quorate/kernel';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LabRun } from '../model/lab-run.js';
import type { RunMode } from '../model/open-ended.js';
import { type Settings, SPEEDS } from '../settings.js';
import { clockText } from './texts.js';

interface ControlBarProps {
  readonly run: LabRun;
  readonly settings: Settings;
}

/** The clock, and everything that is about the run as a whole. */
export function ControlBar({ run, settings }: ControlBarProps): JSX.Element {
  const [seedText, setSeedText] = useState(settings.seedText);
  const [speed, setSpeed] = useState(settings.speed);
  const seed = parseSeed(seedText);
  const isStartable = run.state === 'idle' || run.state === 'over';
  const start = (mode: RunMode): void => {
    if (seed !== undefined) run.start({ mode, seed, speed });
  };
  const onSpeed = (index: number): void => {
    const chosen = SPEEDS[index] ?? speed;
    setSpeed(chosen);
    run.setSpeed(chosen);
  };
  return (
    <header class="bar-top">
      <h1>
        QUORATE <span>browser lab</span>
      </h1>
      <div class="clock" data-state={run.state}>
        <span class="clock-time">{clockText(run.now)}</span>
        <span class="clock-state">{STATE_TEXTS[run.state]}</span>
      </div>
      <div class="controls">
        {isStartable ? (
          <>
            <button
              type="button"
              class="key-button key-go"
              disabled={seed === undefined}
              onClick={() => start('story')}
            >
              Start the story
            </button>
            <button type="button" class="key-button" disabled={seed === undefined} onClick={() => start('free')}>
              Free run
            </button>
          </>
        ) : (
          <>
            <button
              type="button"
              class="key-button"
              disabled={!run.isRunning}
              onClick={() => (run.state === 'held' ? run.release() : run.hold())}
            >
              {run.state === 'held' ? 'Go on' : 'Hold time'}
            </button>
            <button type="button" class="key-button key-stop" onClick={() => run.stop()}>
              Stop
            </button>
          </>
        )}
        <label class="speed">
          <span>speed</span>
          <input
            type="range"
            min={0}
            max={SPEEDS.length - 1}
            step={1}
            value={SPEEDS.indexOf(speed)}
            aria-valuetext={`${speed} cluster seconds a second`}
            onInput={(event) => onSpeed(Number(event.currentTarget.value))}
          />
          <output>{speed} ×</output>
        </label>
        <label class="seed">
          <span>seed</span>
          <input
            value={seedText}
            onInput={(event) => setSeedText(event.currentTarget.value)}
            disabled={!isStartable}
            aria-invalid={seed === undefined}
            size={6}
            spellcheck={false}
            title="a number below 2^64, or 0x and up to 16 hex digits"
          />
        </label>
      </div>
      <Health run={run} />
    </header>
  );
}

const STATE_TEXTS: Readonly<Record<LabRun['state'], string>> = {
  idle: 'not started',
  starting: 'workers start',
  running: 'cluster time',
  held: 'time is held',
  over: 'over',
};

/** Whether every rule holds, and whether the processors keep up. */
function Health({ run }: { readonly run: LabRun }): JSX.Element {
  const { violations } = run;
  const { lostSlices } = run.picture;
  return (
    <p class="health">
      <span class={violations.length > 0 ? 'health-bad' : 'health-good'} data-violations={violations.length}>
        {run.rules} rules, {violations.length === 0 ? 'none broken' : `${violations.length} broken`}
      </span>
      <span title="times 100 ms of cluster time that the clock stood still for a busy machine">
        {lostSlices} slices lost
      </span>
    </p>
  );
}
