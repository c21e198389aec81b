import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import type { CommandIo } from '../command-io.js';
import { isComment, isPlaced } from './typed-line.js';

/** How long somebody waits who has asked for a completion. */
const COMPLETION_PATIENCE_MS = 2000;

/** Prompt of a line that goes on. */
export const MORE = '> ';

/** Lines that somebody types or has written, and what is shown meanwhile. */
export interface LineSource {
  /** Undefined: there are no more. `MORE` as the prompt: the line goes on with what is open in those before. */
  next(prompt: string): Promise<string | undefined>;
  /** Shows a text that nobody asked for now, before the line that is being typed. */
  interject(text: string): void;
  /** Nothing more is wanted: a `next` that waits gets nothing. */
  close(): void;
}

/** A script's lines: each is shown behind the prompt, as if somebody had typed it. */
export class ScriptLines implements LineSource {
  readonly #lines: string[];
  readonly #io: CommandIo;

  constructor(text: string, io: CommandIo) {
    this.#lines = text.split('\n');
    this.#io = io;
  }

  async next(prompt: string): Promise<string | undefined> {
    while (prompt !== MORE && this.#lines.length > 0 && isComment(this.#lines[0]!)) this.#lines.shift();
    const line = this.#lines.shift();
    if (line !== undefined) this.#io.stdout.write(shown(prompt, line));
    return line;
  }

  interject(text: string): void {
    this.#io.stdout.write(text);
  }

  close(): void {
    this.#lines.length = 0;
  }
}

/** What somebody types, or what comes through a pipe. A terminal has history, completion and editing. */
export class TypedLines implements LineSource {
  readonly #io: CommandIo;
  readonly #isTerminal: boolean;
  readonly #interface: Interface;
  readonly #waiting: string[] = [];
  #take: ((line: string | undefined) => void) | undefined;
  #isClosed = false;

  /**
   * @param complete - what a line could become that begins so.
   * @param onInterrupt - ctrl-C, which a terminal that is read line by line keeps from the process.
   */
  constructor(io: CommandIo, complete: (line: string) => Promise<readonly string[]>, onInterrupt: () => void) {
    this.#io = io;
    this.#isTerminal = io.stdout.isTTY === true;
    this.#interface = createInterface({
      input: io.stdin,
      output: io.stdout,
      terminal: this.#isTerminal,
      completer: (line: string, give: (error: null, found: [string[], string]) => void) =>
        // A machine that hangs must not keep what is typed.
        void Promise.race([complete(line), setTimeout(COMPLETION_PATIENCE_MS, [])]).then((found) =>
          give(null, [[...found], line]),
        ),
    });
    this.#interface.on('line', (line) => {
      if (this.#take === undefined) this.#waiting.push(line);
      else this.#give(line);
    });
    this.#interface.on('SIGINT', onInterrupt);
    this.#interface.on('close', () => {
      this.#isClosed = true;
      this.#give(undefined);
    });
  }

  async next(prompt: string): Promise<string | undefined> {
    const isAhead = this.#waiting.length > 0;
    const line = isAhead || this.#isClosed ? this.#waiting.shift() : await this.#typed(prompt);
    // A terminal has shown what was typed at its prompt.
    const isShown = this.#isTerminal && !isAhead;
    if (line !== undefined && !isShown) this.#io.stdout.write(shown(prompt, line));
    return line;
  }

  interject(text: string): void {
    const isTyping = this.#take !== undefined && this.#isTerminal;
    if (isTyping) {
      cursorTo(this.#io.stdout, 0);
      clearLine(this.#io.stdout, 0);
    }
    this.#io.stdout.write(text);
    if (isTyping) this.#interface.prompt(true);
  }

  close(): void {
    this.#interface.close();
  }

  #typed(prompt: string): Promise<string | undefined> {
    if (this.#isTerminal) {
      this.#interface.setPrompt(prompt);
      this.#interface.prompt();
    }
    return new Promise((resolve) => {
      this.#take = resolve;
    });
  }

  #give(line: string | undefined): void {
    const take = this.#take;
    this.#take = undefined;
    take?.(line);
  }
}

/** As a terminal shows it; a line that says itself where it is typed is its own prompt. */
function shown(prompt: string, line: string): string {
  if (prompt === MORE) return `${prompt}${line}\n`;
  return `${isPlaced(line) ? '' : prompt}${line.trim()}\n`;
}
