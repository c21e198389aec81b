import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tooling/longest-first.js';
import { isThorough } from './tooling/thorough.js';

const conditions = ['@quorate/source', 'module', 'node', 'development|production'];
const fromSource = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Nothing is judged by how long it takes here: a busy machine is no failure. What never ends is one. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // Two at a time also where there are only two cores, of which vitest would leave one alone; one more where real programs
    // judge us, for which two of the files wait minutes.
    maxWorkers: Math.max(2, availableParallelism() - 1) + (isThorough ? 1 : 0),
    projects: [
      {
        ...fromSource,
        test: {
          ...patience,
          name: 'core',
          pool: 'threads',
          isolate: false,
          setupFiles: ['./tooling/no-ambient.ts'],
          include: ['packages/*/test/**/*.test.ts'],
          exclude: ['packages/workers/**'],
        },
      },
      {
        ...fromSource,
        test: {
          ...patience,
          name: 'edge',
          isolate: false,
          include: ['packages/workers/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'tooling/*/test/**/*.test.ts'],
        },
      },
    ],
  },
});
