import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import type { AgentRun } from '../libfence.js';

/** How a real agent ended. */
export interface AgentEnd {
  /**
   * `exited`: by itself, with `status`. `killed`: by a signal. `timed-out`: by us. `not-started`: there is no such program, or it
   * may not be run; `errors` says why.
   */
  readonly how: 'exited' | 'killed' | 'timed-out' | 'not-started';
  /** Exit status 0..255; 128 and the signal's number when it was killed; 1 when it was not started, as fenced has it. */
  readonly status: number;
  /** The beginning of what it wrote to its standard output, and to its standard error: 1 MiB of each. */
  readonly output: string;
  readonly errors: string;
}

export interface RunAgentOptions {
  /** An agent that runs longer is killed, and everything it has started. Absent: it may run for ever, as under fenced. */
  readonly timeoutMs?: number;
  /** What it has for an environment instead of this process's. Its PATH is where an agent without a slash is looked for. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Administrators' programs are often where a user's PATH does not look. */
const SYSTEM_PATH = ['/usr/sbin', '/sbin'];
const OUTPUT_MAX_BYTES = 1024 * 1024;
/** Somebody whom the agent has left behind may hold its output open: it is not waited for. */
const AFTER_EXIT_MS = 200;

/**
 * Runs a fence agent of this machine: any executable, by its path or by a name that PATH or `/usr/sbin` has. It reads `input`
 * from its standard input and ends with an exit status: 0 is success.
 *
 * The promise is never rejected for what an agent does; whoever needs a promise kept looks at `status`.
 *
 * Source: cluster.git fence/libfence/agent.c, `run_agent`.
 */
export function runAgent({ agent, input }: AgentRun, options: RunAgentOptions = {}): Promise<AgentEnd> {
  const { timeoutMs } = options;
  const env = withSystemPath(options.env ?? process.env);
  return new Promise((resolve) => {
    // In a process group of its own, so that a timeout reaches what it has started.
    const child = spawn(agent, [], { env, detached: true, stdio: 'pipe' });
    const output = keepBeginning(child.stdout);
    const errors = keepBeginning(child.stderr);
    let isTimedOut = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            isTimedOut = true;
            killGroup(child.pid);
          }, timeoutMs);
    const end = (how: AgentEnd['how'], status: number, why = ''): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ how, status, output: output(), errors: errors() + why });
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) end('not-started', 1, `${agent}: ${error.code ?? error.message}\n`);
    });
    child.on('exit', (code, signal) => {
      const how = isTimedOut ? 'timed-out' : signal === null ? 'exited' : 'killed';
      const status = code ?? 128 + constants.signals[signal!];
      const late = setTimeout(() => end(how, status), AFTER_EXIT_MS);
      child.on('close', () => {
        clearTimeout(late);
        end(how, status);
      });
    });
    // An agent need not read what it is told.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function withSystemPath(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const path = (env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  return { ...env, PATH: [...new Set([...path, ...SYSTEM_PATH])].join(delimiter) };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Reads a stream to its end, and keeps its beginning. */
function keepBeginning(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (piece: Buffer) => {
    if (bytes < OUTPUT_MAX_BYTES) pieces.push(piece.subarray(0, OUTPUT_MAX_BYTES - bytes));
    bytes += piece.length;
  });
  stream.on('error', () => {});
  return () => Buffer.concat(pieces).toString();
}
