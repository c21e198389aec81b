import { defineConfig } from 'tsup';
import { bundled } from '../../tooling/tsup.base.js';

export default defineConfig({
  ...bundled,
  entry: {
    main: 'src/main.ts',
    'disk-server': 'src/disk-server.ts',
    'alloc-thread': 'src/alloc-thread.ts',
    'locks-thread': 'src/locks-thread.ts',
    'totem-node': 'src/totem-node.ts',
    'totem-thread': 'src/totem-thread.ts',
  },
  // What builds a program for other engines finds its bundler, the engine and the browser's remote control where it lies.
  noExternal: [/^(?!esbuild$|commander$|async-mutex$|ioredis$|redlock$|@quorate\/wasm$)/],
  // Not made for bundling; all but the first only beside ours.
  external: ['commander', 'async-mutex', 'ioredis', 'redlock'],
});
