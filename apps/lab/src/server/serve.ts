import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { preview } from 'vite';

/** Exit codes: the same as those of `quorate`. */
const USAGE = 4;
const DEFAULT_PORT = 4373;

export interface ServeIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

interface ServeOptions {
  readonly port: string;
  readonly host: string;
}

/**
 * Serves the page until the process is ended, and prints its address on stdout.
 *
 * Gives the exit code at once where there is nothing to serve.
 */
export async function serve(argv: readonly string[], io: ServeIo): Promise<number> {
  const command = new Command('lab')
    .description('serves the browser lab: five machines, their disks and their page, in web workers')
    .option('--port <n>', 'TCP port, 0 for any that is free', String(DEFAULT_PORT))
    .option('--host <address>', 'address to listen on', 'localhost')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });
  try {
    command.parse(argv, { from: 'user' });
    const { port, host } = command.opts<ServeOptions>();
    // The bundled page is next to this file once that is bundled too.
    const served = await servePage(fileURLToPath(new URL('./page', import.meta.url)), portOf(port), host);
    io.stdout.write(`${served.url}\n`);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const message = (error as Error).message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    io.stderr.write(`lab: ${message}\n`);
    return USAGE;
  }
}

export interface ServedPage {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a bundled page. `port` 0: any that is free. */
export async function servePage(directory: string, port: number, host: string): Promise<ServedPage> {
  const server = await preview({
    configFile: false,
    root: directory,
    logLevel: 'silent',
    build: { outDir: directory },
    preview: {
      port,
      host,
      strictPort: true,
      // A page that is isolated may measure the memory of itself and its workers.
      headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    },
  });
  const address = server.httpServer.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/`,
    close: () => server.close(),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`--port: found "${text}", expected a number up to 65535`);
  return port;
}
