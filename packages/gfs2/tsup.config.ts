import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    'allocator/index': 'src/allocator/index.ts',
    'client/index': 'src/client/index.ts',
  },
});
