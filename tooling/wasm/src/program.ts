import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The name under which a bundle leaves its exports in the engine's global scope. */
export const GUEST = 'guest';

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url));

/**
 * Bundles a TypeScript module that exports `main(request: Uint8Array): Uint8Array` into one script, from the packages' sources.
 *
 * The script declares the variable `guest`, and uses nothing that ECMAScript does not have: it is the same text for every
 * engine. MessagePack asks for `TextEncoder` and `TextDecoder` when it is loaded; it gets those of `guest/utf8.ts`.
 */
export async function buildProgram(source: string, resolveDir: string = SOURCES): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    inject: [`${SOURCES}guest/utf8.ts`],
    bundle: true,
    format: 'iife',
    globalName: GUEST,
    platform: 'neutral',
    target: 'es2022',
    conditions: ['@quorate/source', 'module'],
    mainFields: ['module', 'main'],
    // Constants become literals, which saves an interpreter a tenth of its time; names and lines stay.
    minifySyntax: true,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/** The simulator with its scenarios: see `guest/messages.ts` for what it takes and gives. */
export function simulatorProgram(): Promise<string> {
  return buildProgram("export { main } from './guest/main.js';");
}
