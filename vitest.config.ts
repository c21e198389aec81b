import { defineConfig } from 'vitest/config';

const conditions = ['@quorate/source', 'module', 'node', 'development|production'];
const fromSource = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  test: {
    projects: [
      {
        ...fromSource,
        test: {
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
          name: 'edge',
          include: ['packages/workers/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'tooling/*/test/**/*.test.ts'],
        },
      },
    ],
  },
});
