import type { Page } from 'playwright-core';

/** Memory of a page and its workers, after their garbage is gone. */
export interface Memory {
  readonly totalBytes: number;
  readonly pageBytes: number;
  readonly workersBytes: number;
}

interface Measurement {
  readonly bytes: number;
  readonly breakdown: readonly {
    readonly bytes: number;
    readonly attribution: readonly { readonly scope: string }[];
  }[];
}

/** Bytes that the page's own heap has in use, its garbage collected. */
export async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

/**
 * Asks Chromium; the page has to be isolated from other origins.
 *
 * A worker that is just being ended does not answer Chromium, which then waits for it: measure while all run.
 */
export async function memoryOf(page: Page): Promise<Memory> {
  const { bytes, breakdown } = await page.evaluate(() => {
    const measurable = performance as unknown as { measureUserAgentSpecificMemory(): Promise<Measurement> };
    return measurable.measureUserAgentSpecificMemory();
  });
  const bytesIn = (scope: string): number =>
    breakdown
      .filter(({ attribution }) => attribution.some((each) => each.scope === scope))
      .reduce((sum, part) => sum + part.bytes, 0);
  return { totalBytes: bytes, pageBytes: bytesIn('Window'), workersBytes: bytesIn('DedicatedWorkerGlobalScope') };
}
