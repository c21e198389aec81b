import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    'conformance/index': 'src/conformance/index.ts',
    'what-if/index': 'src/what-if/index.ts',
  },
});
