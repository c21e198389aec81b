import { compileFunction } from 'node:vm';
import type { Engine } from './engine.js';
import { GUEST } from './program.js';

/** Runs a program in this process, optimised by its V8 as everything else is. */
export async function startNode(program: string): Promise<Engine> {
  const { main } = compileFunction(`${program}\nreturn ${GUEST};`)() as { main(request: Uint8Array): Uint8Array };
  return {
    name: `Node ${process.versions.node}`,
    call: async (request) => main(request),
    close: async () => {},
  };
}
