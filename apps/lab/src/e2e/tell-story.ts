import type { Locator } from 'playwright-core';
import type { LabPage } from './lab-page.js';

export interface ToldStep {
  readonly id: string;
  /** `done`, or how it stands. */
  readonly state: string;
  /** As the page has it: `16.2 s`; empty where the page was not away. */
  readonly outage: string;
  /** What was not observed. */
  readonly misses: readonly string[];
}

/** The last step, once it has ended, well or not. */
export function lastStepEnded({ page }: LabPage): Locator {
  return page.locator('[data-step]').last().and(page.locator('[data-state="done"], [data-state="bad"]'));
}

/** Waits for the last step of a story that runs in the page, and reads off it what came of all. */
export async function storyIn(lab: LabPage, timeoutMs: number): Promise<readonly ToldStep[]> {
  await lastStepEnded(lab).waitFor({ timeout: timeoutMs });
  return lab.page.locator('[data-step]').evaluateAll((rows) =>
    rows.map((row) => ({
      id: row.getAttribute('data-step') ?? '',
      state: row.getAttribute('data-state') ?? '',
      outage: row.querySelector('.step-outage')?.textContent ?? '',
      misses: [...row.querySelectorAll('.observed-false')].map((miss) => miss.textContent ?? ''),
    })),
  );
}
