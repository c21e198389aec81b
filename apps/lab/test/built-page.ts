import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { type ServedPage, servePage } from '../src/server/serve.js';

const APP = fileURLToPath(new URL('..', import.meta.url));

/** Bundles the page as it stands in the sources and serves it. */
export async function serveBuiltPage(): Promise<ServedPage> {
  const outDir = await mkdtemp(join(tmpdir(), 'quorate-lab-'));
  await build({
    root: APP,
    configFile: join(APP, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: false, sourcemap: false },
  });
  const served = await servePage(outDir, 0, '127.0.0.1');
  return {
    url: served.url,
    close: async () => {
      await served.close();
      await rm(outDir, { recursive: true });
    },
  };
}
