import { defineConfig } from 'tsup';
import { bundled } from '../../tooling/tsup.base.js';

// esbuild brings a program of its own, so it stays outside.
export default defineConfig({ ...bundled, entry: { main: 'src/main.ts' }, noExternal: [/^(?!esbuild$)/] });
