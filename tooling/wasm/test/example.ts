import { SECOND } from '@quorate/kernel';
import { ask, simulatorProgram, startNode, startQuickJs } from '@quorate/wasm';

/** The first twenty seconds of the walk-through, in which five machines boot, in two engines. */
export async function example(): Promise<string[]> {
  const program = await simulatorProgram();
  const request = { scenario: 'hyperv-blog', seed: '7', until: 20 * SECOND, every: 10 * SECOND } as const;
  const [marks, others] = await Promise.all(
    [startNode, startQuickJs].map(async (start) => {
      const engine = await start(program);
      const reply = await ask(engine, { kind: 'simulate', ...request });
      await engine.close();
      return reply.marks;
    }),
  );
  return marks!.map(({ at, hash }, i) => `by ${at / SECOND} s the same hash: ${hash === others![i]!.hash}`);
}
