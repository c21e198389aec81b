import { defineConfig } from 'tsup';
import { bundled } from '../../tooling/tsup.base.js';

export default defineConfig({ ...bundled, noExternal: [/^@quorate\//] });
