import { defineConfig } from 'tsup';
import { bundled } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...bundled,
  entry: { main: 'src/main.ts', 'lab.worker': 'src/lab.worker.ts', 'campaign.worker': 'src/campaign.worker.ts' },
  // What is CommonJS is loaded from the app's own dependencies.
  noExternal: [/^@quorate\//, '@msgpack/msgpack', 'comlink'],
});
