import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';
import { bundled } from '../../../tooling/tsup.base.js';

/** Bundles `pair.worker.ts` as an app does, as Node cannot start a worker from TypeScript. */
export async function bundlePairWorker(): Promise<{ readonly url: URL; remove(): Promise<void> }> {
  const outDir = await mkdtemp(join(tmpdir(), 'quorate-workers-'));
  await build({
    ...bundled,
    config: false,
    silent: true,
    sourcemap: false,
    entry: { pair: fileURLToPath(new URL('pair.worker.ts', import.meta.url)) },
    outDir,
    outExtension: () => ({ js: '.mjs' }),
  });
  return { url: pathToFileURL(join(outDir, 'pair.mjs')), remove: () => rm(outDir, { recursive: true }) };
}
