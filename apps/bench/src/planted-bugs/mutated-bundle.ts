import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { type PlantedBug, plant } from './planted-bug.js';

/** The folder of the workspace, from wherever this file runs. */
export function workspaceRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'pnpm-workspace.yaml'))) {
    const above = dirname(folder);
    if (above === folder) throw new RangeError('planted bugs need the sources of the workspace, and they are not here');
    folder = above;
  }
  return folder;
}

/** A bundle of the hunting thread, for as long as it is needed. */
export interface MutatedBundle {
  readonly path: string;
  remove(): void;
}

/** Bundles the hunting thread from source with the bug in it; without one, as it is. */
export async function bundleWith(bug: PlantedBug | undefined): Promise<MutatedBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-planted-'));
  const path = join(folder, 'hunt.worker.mjs');
  await build({
    entryPoints: [join(workspaceRoot(), 'apps/bench/src/hunt.worker.ts')],
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    conditions: ['@quorate/source', 'module'],
    logLevel: 'silent',
    plugins: bug === undefined ? [] : [planting(bug)],
  });
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

function planting(bug: PlantedBug): Plugin {
  const path = resolve(workspaceRoot(), bug.file);
  return {
    name: 'planted-bug',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (file) =>
        file.path === path ? { contents: plant(readFileSync(path, 'utf8'), bug), loader: 'ts' } : undefined,
      );
    },
  };
}
