import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...base,
  // All entries share one copy of every class.
  splitting: true,
  entry: {
    index: 'src/index.ts',
    'cpg/index': 'src/cpg/index.ts',
    'corosync/index': 'src/corosync/index.ts',
    'node/index': 'src/node/index.ts',
  },
});
