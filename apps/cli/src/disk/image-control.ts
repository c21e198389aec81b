import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { UsageError } from '../usage-error.js';
import type { ResizeRequest } from './resize-image.js';

/**
 * How whoever has an image open for writing is asked to change it: a socket beside it, `<image>.control`.
 *
 * request  `resize SIZE` or `resize SIZE discard`, and a line feed
 * answer   `done`, or `refused WHY`, and a line feed
 */
export class ImageControl {
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `resize` throws `UsageError` for what it refuses. Call it with the image's lock in hand: the socket is its owner's. */
  constructor(imagePath: string, resize: (request: ResizeRequest) => void) {
    this.#path = controlPath(imagePath);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
      void answer(socket, resize);
    });
  }

  /** Rejects with the host's error: a path that is too long for a socket, a file system that has none. */
  async listen(): Promise<void> {
    removeLeftover(this.#path);
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const hasClosed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await hasClosed;
  }
}

/**
 * Asks who has the image open to give its disk another size. False when nobody who could has it.
 *
 * @throws {UsageError} when it is refused.
 */
export async function askForResize(imagePath: string, { size, isDiscarding }: ResizeRequest): Promise<boolean> {
  const socket = connect(controlPath(imagePath));
  try {
    await once(socket, 'connect');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // No socket, a path that no socket can have, or one whose process was killed.
    if (['ENOENT', 'EINVAL', 'ENAMETOOLONG', 'ECONNREFUSED', 'ENOTSOCK'].includes(code)) return false;
    throw new UsageError(`${controlPath(imagePath)}: ${code}`);
  }
  socket.on('error', () => socket.destroy());
  socket.write(`resize ${size}${isDiscarding ? ' discard' : ''}\n`);
  const text = await lineFrom(socket);
  socket.destroy();
  if (text === 'done') return true;
  throw new UsageError(text.startsWith('refused ') ? text.slice('refused '.length) : `${imagePath}: no answer`);
}

function controlPath(imagePath: string): string {
  return `${imagePath}.control`;
}

/** Of a process that was killed. */
function removeLeftover(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function answer(socket: Socket, resize: (request: ResizeRequest) => void): Promise<void> {
  const line = await lineFrom(socket);
  const [, size, discard] = /^resize (\S+)( discard)?$/.exec(line) ?? [];
  if (size === undefined) return void socket.end(`refused found "${line}", expected "resize SIZE [discard]"\n`);
  try {
    resize({ size, isDiscarding: discard !== undefined });
    socket.end('done\n');
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    socket.end(`refused ${error.message}\n`);
  }
}

const MOST_CHARACTERS = 4096;

/** The first line that comes, without its end; what there was when it was cut off. */
function lineFrom(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const give = (): void => resolve(text.split('\n', 1)[0]!);
    socket.setEncoding('utf8');
    socket.on('data', (piece) => {
      text += piece;
      if (text.includes('\n') || text.length > MOST_CHARACTERS) give();
    });
    socket.on('close', give);
  });
}
