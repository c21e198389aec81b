import { webWorker } from '@quorate/workers';
import { render } from 'preact';
import { LabRun } from './model/lab-run.js';
import { settingsOf } from './settings.js';
import { App } from './view/app.js';

/** Frames a second at which the page follows the cluster: the processors are the cluster's. */
const FRAME_MS = 100;

const root = document.getElementById('lab')!;
const settings = settingsOf(location.search);
let hasChanged = true;

const run = new LabRun(
  (name) => webWorker(new Worker(new URL('./lab.worker.ts', import.meta.url), { type: 'module', name })),
  () => {
    hasChanged = true;
  },
);

setInterval(() => {
  // Time itself is shown, so a running cluster always has something new.
  if (!hasChanged && run.state !== 'running') return;
  hasChanged = false;
  requestAnimationFrame(draw);
}, FRAME_MS);

function draw(): void {
  render(<App run={run} settings={settings} />, root);
}

draw();
if (settings.start !== undefined) run.start({ ...settings, mode: settings.start });
