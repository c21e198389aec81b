import { type Engine, startNode, startQuickJs } from '@quorate/wasm';
import { expect, it, vi } from 'vitest';
import { corePackages, type PackageReply, packageProgram, readmeOf } from './package-program.js';

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const NOTHING = new Uint8Array(0);

async function replyIn(start: (program: string) => Promise<Engine>, program: string): Promise<PackageReply> {
  const engine = await start(program);
  try {
    return JSON.parse(Buffer.from(await engine.call(NOTHING)).toString());
  } finally {
    await engine.close();
  }
}

it.each(corePackages)('%s alone: QuickJS sees what V8 sees, and prints what the README says', async (name) => {
  const program = await packageProgram(name);
  const reply = await replyIn(startQuickJs, program);
  expect(reply).toEqual(await replyIn(startNode, program));
  expect(reply.lines.length).toBeGreaterThan(0);
  expect(readmeOf(name)).toContain(reply.lines.join('\n'));
});
