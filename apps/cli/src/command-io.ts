import picocolors from 'picocolors';

/** Where a command's text goes: a terminal, a pipe, or what a test reads. */
export interface TextStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a command has of the process that it runs in. */
export interface CommandIo {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Resolves when somebody wants this process to end; the next time it ends at once. */
  untilSignal(): Promise<void>;
}

export type Colours = ReturnType<typeof picocolors.createColors>;

/** Colours where they are seen: on a terminal that is not dumb, or where `FORCE_COLOR` asks for them. */
export function coloursOf(stream: TextStream, env: CommandIo['env']): Colours {
  const isForced = (env.FORCE_COLOR ?? '0') !== '0';
  const isPlain = (env.NO_COLOR ?? '') !== '' || env.FORCE_COLOR === '0';
  return picocolors.createColors(!isPlain && (isForced || (stream.isTTY === true && env.TERM !== 'dumb')));
}
