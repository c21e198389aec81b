import { defineConfig } from 'tsup';
import { bundled } from '../../tooling/tsup.base.js';

// The page is Vite's; this is what serves it and operates it. The packages come from source, what they stand on from where it lies.
export default defineConfig({
  ...bundled,
  entry: { serve: 'src/serve.ts', e2e: 'src/e2e.ts' },
  external: ['playwright-core', 'vite'],
  noExternal: [/^@quorate\//],
});
