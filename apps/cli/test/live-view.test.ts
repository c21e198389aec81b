import { afterEach, describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { type CommandIo, coloursOf } from '../src/command-io.js';
import { LiveView, takesLiveView } from '../src/views/live-view.js';
import { CapturedStream } from './captured-io.js';
import { TerminalScreen } from './terminal-screen.js';
import { tell } from './watch-script.js';

const opened: Watched[] = [];

/** A live view of two nodes on a terminal of that size, with a clock that stands. */
class Watched {
  readonly stream: CapturedStream;
  readonly view: LiveView;
  readonly screen: TerminalScreen;
  now = 0;
  #shown = 0;

  constructor(columns: number, rows: number, env: CommandIo['env'] = {}) {
    this.stream = new CapturedStream({ columns, rows });
    this.screen = new TerminalScreen(columns, rows);
    this.view = new LiveView({
      stream: this.stream,
      colours: coloursOf(this.stream, { TERM: 'xterm', ...env }),
      machines: ['my-vm1', 'my-vm2'],
      speed: 10,
      clock: () => this.now,
    });
    opened.push(this);
  }

  /** Each line a tenth of a second after the one before it. */
  tell(lines: readonly string[]): void {
    for (const line of lines) {
      this.now += 100;
      tell(this.view, line);
    }
  }

  get shown(): readonly string[] {
    for (const piece of this.stream.pieces.slice(this.#shown)) this.screen.write(piece);
    this.#shown = this.stream.pieces.length;
    return this.screen.lines;
  }
}

afterEach(() => {
  for (const { view } of opened.splice(0)) view.end();
});

/** What a terminal shows when only the last frame after these lines is drawn on it. */
function drawnAtOnce(lines: readonly string[]): readonly string[] {
  const watched = new Watched(80, 24);
  watched.tell(lines);
  const { stream, view } = watched;
  // Another width makes it draw everything.
  stream.columns = 81;
  view.end();
  const screen = new TerminalScreen(81, 24);
  screen.write(stream.pieces.at(-2)!);
  return screen.lines;
}

const SERVED = [
  '0 step 1/3 both nodes boot',
  '30 node.state node=1 state="up"',
  '30 node.state node=2 state="up"',
  '40 rg.service node=1 service="service:web" state=112 owner=1',
  ...[41, 42, 43].map((at) => `${at} client.request node=0 isAnswered=true sentAt=${at}000000000`),
];

describe('the live view', () => {
  it('shows nodes, votes, service, presses of F5 and the step', () => {
    let watched = new Watched(80, 24);
    checkTranscript(new URL('./data/live-view.txt', import.meta.url), (commands) => {
      for (const command of commands) {
        const [name, columns, rows] = command.split(' ');
        if (name === 'terminal') watched = new Watched(Number(columns), Number(rows));
        else watched.tell([command]);
      }
      return watched.shown.map((line) => `|${line}`).join('\n');
    });
  });

  it.each([
    [72, 20],
    [80, 24],
    [132, 50],
    [40, 10],
    [10, 3],
    [1, 1],
  ])('never takes more than %i columns and %i rows', (columns, rows) => {
    const watched = new Watched(columns, rows);
    watched.tell(SERVED);
    for (let i = 0; i < 40; i++) {
      const isAnswered = i % 3 === 0;
      watched.tell([
        `${50 + i} observed a sentence that is not short, because it has to be cut somewhere, number ${i}`,
        `${50 + i} client.request node=0 isAnswered=${isAnswered} sentAt=${50 + i}000000000`,
      ]);
    }
    expect(watched.shown.length).toBeLessThan(Math.max(rows, 2));
    expect(watched.screen.scrolled).toBe(0);
  });

  it('leaves on the screen what one drawing of the same facts would, and what stood above it', () => {
    const watched = new Watched(80, 24);
    const above = Array.from({ length: 6 }, (_, i) => `a line of the shell ${i}`);
    watched.screen.write(`${above.join('\n')}\n`);
    const lines = [
      ...SERVED,
      '44 observed one',
      '45 observed two',
      '45 step 2/3 my-vm1 is paused',
      '45 observed three',
    ];
    lines.forEach((line, i) => {
      watched.tell([line]);
      const drawn = drawnAtOnce(lines.slice(0, i + 1));
      // A frame of 23 lines and the line of the cursor leave nothing of what stood above on 24 rows.
      expect(watched.shown).toEqual(drawn);
      expect(watched.screen.scrolled).toBe(above.length);
    });
  });

  it('writes a frame in one piece, at most ten times a second, and what the step does at once', () => {
    const watched = new Watched(80, 24);
    const before = watched.stream.pieces.length;
    for (let at = 1; at <= 99; at++) tell(watched.view, `${at} node.state node=1 state="booting"`);
    expect(watched.stream.pieces.length - before).toBe(0);
    watched.tell(['100 node.state node=1 state="up"']);
    expect(watched.stream.pieces.length - before).toBe(1);
    tell(watched.view, '100 observed it is up');
    expect(watched.stream.pieces.length - before).toBe(2);
  });

  it('draws anew from the top after the terminal changed its rows', () => {
    const watched = new Watched(80, 24);
    watched.tell(SERVED);
    watched.stream.rows = 20;
    watched.tell(['44 observed one']);
    expect(watched.shown.filter((line) => line === 'quorate story')).toHaveLength(1);
    expect(watched.shown).toHaveLength(19);
  });

  it('hides the cursor while it draws and gives it back at its end, once', () => {
    const listeners = process.listenerCount('exit');
    const watched = new Watched(80, 24);
    watched.tell(SERVED);
    void watched.shown;
    expect(watched.screen.isCursorShown).toBe(false);
    watched.view.end();
    void watched.shown;
    expect(watched.screen.isCursorShown).toBe(true);
    expect(process.listenerCount('exit')).toBe(listeners);
    expect(watched.stream.text.split('\u001b[?25h')).toHaveLength(2);
  });

  it('has no colours with NO_COLOR, and the same text', () => {
    const plain = new Watched(80, 24, { NO_COLOR: '1' });
    const coloured = new Watched(80, 24);
    for (const watched of [plain, coloured]) watched.tell(SERVED);
    expect(plain.shown).toEqual(coloured.shown);
    expect(plain.stream.text).not.toMatch(/\[[0-9;]+m/);
    expect(coloured.stream.text).toMatch(/\[[0-9;]+m/);
  });
});

it.each([
  // isTTY  columns  rows  TERM               live
  [true, 80, 24, 'xterm-256color', true],
  [true, 72, 20, 'xterm', true],
  [true, 80, 24, undefined, true],
  [true, 80, 24, 'dumb', false],
  [true, 71, 24, 'xterm', false],
  [true, 80, 19, 'xterm', false],
  [false, 80, 24, 'xterm', false],
])('terminal %s of %i columns and %i rows, TERM=%s: live %s', (isTTY, columns, rows, term, expected) => {
  const stream = new CapturedStream(isTTY ? { columns, rows } : undefined);
  expect(takesLiveView(stream, term)).toBe(expected);
});
