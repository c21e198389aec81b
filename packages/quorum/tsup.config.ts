import { defineConfig } from 'tsup';
import { base } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', 'votequorum/index': 'src/votequorum/index.ts' },
});
