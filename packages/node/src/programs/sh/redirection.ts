import { isErrno, type Os, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { expandText, type Values } from './expand.js';
import type { Redirections, Target } from './script.js';
import type { Input, Streams } from './state.js';

const NOWHERE = '/dev/null';

/** What a command reads; undefined when there is no such file, which is complained about. */
export function* inputOf(os: Os, { input }: Redirections, values: Values, streams: Streams): Task<Input | undefined> {
  if (input === undefined) return streams.input;
  if ('text' in input) return { rest: yield* expandText(input.text, values) };
  const path = yield* expandText(input.path, values);
  if (path === NOWHERE) return { rest: '' };
  const bytes = yield* os.readFile(path);
  if (!isErrno(bytes)) return { rest: utf8Text(bytes) };
  streams.printError(`-bash: ${path}: ${strerror(bytes)}\n`);
  return undefined;
}

/** Where the two streams of a command go that are not where the shell's do, until they are written in the end. */
export class Output {
  readonly #os: Os;
  readonly #values: Values;
  readonly #streams: Streams;
  readonly #sinks: readonly Sink[];

  constructor(os: Os, { output, errors }: Redirections, values: Values, streams: Streams) {
    this.#os = os;
    this.#values = values;
    this.#streams = streams;
    const toOutput = new Sink(output, streams.print, streams);
    const toErrors = errors === 'output' ? toOutput : new Sink(errors, streams.printError, streams);
    this.#sinks =
      output === 'errors' && errors !== undefined && errors !== 'output' ? [toErrors, toErrors] : [toOutput, toErrors];
  }

  streams(input: Input): Streams {
    const [output, errors] = this.#sinks;
    return { input, print: output!.print, printError: errors!.print };
  }

  /** False when a file cannot be written, which is complained about. */
  *write(): Task<boolean> {
    for (const { target, text } of new Set(this.#sinks)) {
      if (target !== undefined && !(yield* this.#writeFile(target, text))) return false;
    }
    return true;
  }

  *#writeFile({ path: word, append }: Exclude<Target, string>, text: string): Task<boolean> {
    const path = yield* expandText(word, this.#values);
    if (path === NOWHERE) return true;
    const written = yield* this.#os.writeFile(path, utf8Bytes(text), { append });
    if (!isErrno(written)) return true;
    this.#streams.printError(`-bash: ${path}: ${strerror(written)}\n`);
    return false;
  }
}

/** Where a stream goes: where it goes by itself, into the other one, or into a text for a file. */
class Sink {
  readonly target: Exclude<Target, string> | undefined;
  text: string = '';
  readonly print: (text: string) => void;

  constructor(target: Target | undefined, byItself: (text: string) => void, { print, printError }: Streams) {
    this.target = typeof target === 'object' ? target : undefined;
    this.print =
      target === undefined ? byItself : target === 'errors' ? printError : target === 'output' ? print : this.#keep;
  }

  readonly #keep = (text: string): void => {
    this.text += text;
  };
}
