import type { Options } from 'tsup';

/** What every publishable package is built with; entries beyond the index are the package's own. */
export const base: Options = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: false,
  sourcemap: true,
  clean: true,
  splitting: false,
};

/** What an app or a worker bundle is built with: everything from source, shared code in one chunk. */
export const bundled: Options = {
  ...base,
  platform: 'node',
  splitting: true,
  noExternal: [/.*/],
  esbuildOptions(options) {
    options.conditions = ['@quorate/source', 'module'];
  },
};
