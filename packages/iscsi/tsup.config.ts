import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...base,
  // Both entries share one copy of every class: an error of one is an instance for the other.
  splitting: true,
  entry: { index: 'src/index.ts', 'node/index': 'src/node/index.ts' },
});
