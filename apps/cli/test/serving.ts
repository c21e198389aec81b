import { runCommand } from '../src/run-command.js';
import { type CapturedIo, capturedIo } from './captured-io.js';

export interface Serving {
  /** Of LUN 0. */
  readonly url: string;
  readonly io: CapturedIo;
  /** Interrupts it; its exit code. */
  stop(): Promise<number>;
}

/** `quorate iscsi serve` in this process, on a free port. */
export async function serve(...words: readonly string[]): Promise<Serving> {
  let interrupt = (): void => {};
  const io = capturedIo(
    {},
    new Promise((resolve) => {
      interrupt = resolve;
    }),
  );
  const ended = runCommand(['iscsi', 'serve', '--portal', '127.0.0.1:0', ...words], io);
  while (io.stdout.text === '') {
    const early = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5))]);
    if (early !== undefined) throw new Error(`it ended: ${io.stderr.text}`);
  }
  const stop = (): Promise<number> => {
    interrupt();
    return ended;
  };
  return { url: io.stdout.text.trim(), io, stop };
}
