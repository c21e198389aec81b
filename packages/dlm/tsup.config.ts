import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    'client/index': 'src/client/index.ts',
    'ports/index': 'src/ports/index.ts',
    'conformance/index': 'src/conformance/index.ts',
  },
});
