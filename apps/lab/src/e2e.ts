import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { chromiumPath, launchChromium } from './e2e/chromium.js';
import { playFreely } from './e2e/free-play.js';
import { LabPage } from './e2e/lab-page.js';
import { type Memory, memoryOf } from './e2e/memory.js';
import { lastStepEnded, storyIn } from './e2e/tell-story.js';
import { servePage } from './server/serve.js';
import { SPEEDS } from './settings.js';

/** Exit codes: the same as those of `quorate`. */
const Exit = { passed: 0, failed: 1, usage: 4 } as const;

const STORY_TIMEOUT_MS = 600_000;
const MEASURE_EVERY_MS = 60_000;
/** The first minutes fill what is bounded. */
const WARM_UP_MINUTES = 3;
const MOST_GROWTH = 0.2;

interface Options {
  readonly minutes: string;
  readonly speed: string;
}

const page = fileURLToPath(new URL('./page', import.meta.url));
const artefacts = fileURLToPath(new URL('../artefacts/', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const command = new Command('lab:e2e')
    .description('runs the story in Chromium to its end, and then plays on while it measures memory')
    .option('--minutes <n>', 'minutes of free play', '0')
    .option('--speed <x>', 'cluster seconds per second, at most', '20')
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return Exit.passed;
    return complain((error as Error).message.replace(/^error: /, ''));
  }
  const { minutes, speed } = command.opts<Options>();
  if (!/^\d+$/.test(minutes)) return complain(`--minutes: found "${minutes}", expected a whole number of minutes`);
  if (!SPEEDS.includes(Number(speed)))
    return complain(`--speed: found "${speed}", expected one of ${SPEEDS.join(', ')}`);
  const executable = chromiumPath();
  if (executable === undefined) return complain('no chromium on PATH');
  return run(executable, Number(minutes), speed);
}

function complain(message: string): number {
  process.stderr.write(`lab:e2e: ${message}\n`);
  return Exit.usage;
}

async function run(executable: string, minutes: number, speed: string): Promise<number> {
  mkdirSync(artefacts, { recursive: true });
  const served = await servePage(page, 0, '127.0.0.1');
  const browser = await launchChromium(executable);
  try {
    const lab = await LabPage.open(browser, served.url, `?start=story&speed=${speed}`, { width: 1280, height: 900 });
    const isTold = await tellStory(lab);
    const isBounded = minutes === 0 || (await soak(lab, minutes));
    for (const complaint of lab.complaints) print(`the page complains: ${complaint}`);
    return isTold && isBounded && lab.complaints.length === 0 ? Exit.passed : Exit.failed;
  } finally {
    await browser.close();
    await served.close();
  }
}

async function tellStory(lab: LabPage): Promise<boolean> {
  const startedMs = Date.now();
  const failover = lab.page.locator('[data-step="poweroff-my-vm2"] .step-outage');
  // A story in which it does not come about has an end, too.
  await failover.or(lastStepEnded(lab)).first().waitFor({ timeout: STORY_TIMEOUT_MS });
  await lab.page.screenshot({ path: `${artefacts}1280-failover.png` });
  const steps = await storyIn(lab, STORY_TIMEOUT_MS);
  await lab.page.screenshot({ path: `${artefacts}1280-story.png` });
  await lab.page.setViewportSize({ width: 1920, height: 1080 });
  await lab.page.screenshot({ path: `${artefacts}1920-story.png` });
  for (const { id, state, outage, misses } of steps) {
    print([id.padEnd(24), state.padEnd(8), outage.padStart(7), ...misses].join('  ').trimEnd());
  }
  const seconds = (Date.now() - startedMs) / 1000;
  const violations = await lab.violations();
  print(`story: ${await lab.clock()} s of cluster time in ${seconds.toFixed(0)} s, ${violations} rules broken`);
  const isTold = violations === 0 && steps.every(({ state }) => state === 'done');
  if (!isTold) for (const line of await lab.log()) print(line);
  return isTold;
}

async function soak(lab: LabPage, minutes: number): Promise<boolean> {
  const measured: Memory[] = [];
  let isOver = false;
  const played = playFreely(lab, () => isOver);
  for (let minute = 1; minute <= minutes; minute += 1) {
    await lab.page.waitForTimeout(MEASURE_EVERY_MS);
    const memory = await memoryOf(lab.page);
    measured.push(memory);
    const { totalBytes, pageBytes, workersBytes } = memory;
    print(
      `minute ${minute}: ${mib(totalBytes)} MiB, page ${mib(pageBytes)}, workers ${mib(workersBytes)}; ${await lab.clock()} s`,
    );
  }
  isOver = true;
  const plays = await played;
  const base = measured[Math.min(WARM_UP_MINUTES, measured.length) - 1]!.totalBytes;
  const growth = measured.at(-1)!.totalBytes / base - 1;
  print(`${plays} plays, ${await lab.violations()} rules broken; memory grew by ${(growth * 100).toFixed(1)} %`);
  return growth <= MOST_GROWTH;
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
