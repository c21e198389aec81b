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

/** Asks Chromium; the page has to be isolated from other origins. */
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
