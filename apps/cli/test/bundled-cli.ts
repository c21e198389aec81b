import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import config from '../tsup.config.js';

/** Bundles the command as it is built, for tests that kill its process. */
export async function bundleCli(): Promise<{ readonly main: string; remove(): Promise<void> }> {
  const outDir = await mkdtemp(join(tmpdir(), 'quorate-cli-'));
  await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(outDir, 'node_modules'));
  await build({
    ...(config as object),
    config: false,
    silent: true,
    sourcemap: false,
    entry: { main: fileURLToPath(new URL('../src/main.ts', import.meta.url)) },
    outDir,
    clean: false,
    // What tsup finds out by itself only where it runs in the app's directory.
    external: ['cli-table3', 'commander', 'log-update', 'picocolors'],
    outExtension: () => ({ js: '.mjs' }),
  });
  return { main: join(outDir, 'main.mjs'), remove: () => rm(outDir, { recursive: true }) };
}
