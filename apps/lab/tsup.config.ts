import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

// The page is Vite's; this is what serves it and operates it.
export default defineConfig({
  ...base,
  platform: 'node',
  entry: { serve: 'src/serve.ts', e2e: 'src/e2e.ts' },
  external: ['playwright-core'],
});
