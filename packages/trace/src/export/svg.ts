import { type Nanos, SECOND } from '@quorate/kernel';
import { DRIVER_NODE } from '../layout.js';
import type { Trace } from '../reader.js';
import { WORLD_NODE } from './names.js';
import { type Span, spansOf } from './spans.js';
import type { Window } from './window.js';

export interface SvgOptions {
  /** The stretch to show; unless told, the longest outage of a failover, or the whole run. */
  readonly window?: Window;
}

const WIDTH = 1000;
const LEFT = 132;
const RIGHT = 16;
const HEAD = 30;
const ROW = 13;
const BAR = 10;
const LANE_GAP = 9;
/** About so many numbers on the axis of time. */
const TICKS = 12;
const STEPS_OF_TICKS = [0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

const COLOURS = {
  ground: '#22272e',
  text: '#cdd9e5',
  dim: '#768390',
  line: '#373e47',
  calm: '#2d5a4c',
  busy: '#daaa3f',
  bad: '#f47067',
  good: '#6bc46d',
  service: '#56d4dd',
  idle: '#3d4652',
} as const;

/** Rows of a machine's lane: what is shown in each, by the track of the span. */
const ROWS = ['machine', 'totem', 'cman', 'dlm', 'service'] as const;
type Row = (typeof ROWS)[number];

/** By the name of the state, or its beginning. */
const STATE_COLOURS: readonly (readonly [start: string, colour: string])[] = [
  ['up', COLOURS.calm],
  ['booting', COLOURS.idle],
  ['paused', COLOURS.busy],
  ['operational', COLOURS.calm],
  ['quorate', COLOURS.calm],
  ['running', COLOURS.calm],
  ['inquorate', COLOURS.bad],
  ['stopped', COLOURS.bad],
];

const PHASE_COLOURS: ReadonlyMap<string, string> = new Map([
  ['stop', '#768390'],
  ['detection', '#daaa3f'],
  ['fencing', '#f47067'],
  ['lock recovery', '#986ee2'],
  ['journal', '#6cb6ff'],
  ['start', '#56d4dd'],
  ['ARP', '#6bc46d'],
]);

/**
 * A picture of a stretch of a run: a lane for what the client saw, with an outage and its phases, and one for each machine with its
 * power, its ring, its quorum, its lockspaces and the service. Whatever is pointed at says what it is and when.
 *
 * Drawn from the same spans as the Chrome trace events; locks and frames are left out.
 */
export function* exportSvg(trace: Trace, options: SvgOptions = {}): Generator<string, void, undefined> {
  const spans = [...spansOf(trace.records())].filter(({ category }) => category !== 'lock');
  const window = options.window ?? failoverOf(spans) ?? wholeOf(spans);
  yield* new Picture(trace, spans, window).draw();
}

/** An outage before there was any service is none of a failover. */
function failoverOf(spans: readonly Span[]): Window | undefined {
  const servedFrom = Math.min(...spans.filter(({ category }) => category === 'service').map(({ from }) => from));
  const outages = spans.filter(({ category, from }) => category === 'outage' && from > servedFrom);
  const [longest] = outages.sort((a, b) => b.to - b.from - (a.to - a.from));
  if (longest === undefined) return undefined;
  return { from: Math.max(0, longest.from - 3 * SECOND), to: longest.to + SECOND };
}

function wholeOf(spans: readonly Span[]): Window {
  return { from: 0, to: spans.reduce((to, span) => Math.max(to, span.to), SECOND) };
}

class Picture {
  readonly #trace: Trace;
  readonly #spans: readonly Span[];
  readonly #from: Nanos;
  readonly #to: Nanos;
  readonly #scale: number;

  constructor(trace: Trace, spans: readonly Span[], { from, to }: Window) {
    this.#trace = trace;
    this.#from = from;
    this.#to = Math.min(
      to,
      spans.reduce((last, span) => Math.max(last, span.to), from + 1),
    );
    this.#spans = spans.filter((span) => span.to >= this.#from && span.from <= this.#to);
    this.#scale = (WIDTH - LEFT - RIGHT) / (this.#to - this.#from);
  }

  *draw(): Generator<string, void, undefined> {
    const { scenario, seed, nodes } = this.#trace.header;
    const laneHeight = ROWS.length * ROW + LANE_GAP;
    const top = HEAD + 4 * ROW + LANE_GAP;
    const height = top + nodes.length * laneHeight + 30;
    const title = `${scenario}, seed ${seed}, ${seconds(this.#from)} to ${seconds(this.#to)} s`;
    yield `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">\n`;
    yield `<style>text{font:10px ui-sans-serif,system-ui,Helvetica,Arial,sans-serif;fill:${COLOURS.text}}.d{fill:${COLOURS.dim}}.n{font-weight:600;font-size:12px}.k{fill:${COLOURS.ground};font-weight:600}</style>\n`;
    yield `<rect width="${WIDTH}" height="${height}" rx="10" fill="${COLOURS.ground}"/>\n`;
    yield `<text x="16" y="19" class="n">${escaped(title)}</text>\n`;
    yield* this.#axis(HEAD, height - 24);
    yield* this.#client(HEAD);
    for (const [i, { id, name }] of nodes.entries()) yield* this.#lane(id, name, top + i * laneHeight);
    for (const [i, { id }] of nodes.entries()) yield* this.#fencing(id, top + i * laneHeight, top, laneHeight);
    yield '</svg>\n';
  }

  *#axis(top: number, bottom: number): Generator<string, void, undefined> {
    const length = (this.#to - this.#from) / SECOND;
    const step = STEPS_OF_TICKS.find((each) => length / each <= TICKS) ?? length;
    for (let at = Math.ceil(this.#from / SECOND / step) * step; at * SECOND <= this.#to; at += step) {
      const x = this.#x(at * SECOND);
      yield `<path d="M${x} ${top}V${bottom}" stroke="${COLOURS.line}"/>`;
      yield `<text x="${x}" y="${bottom + 14}" text-anchor="middle" class="d">${Number(at.toFixed(3))} s</text>\n`;
    }
  }

  /** Steps of the scenario, requests, outages and their phases. */
  *#client(top: number): Generator<string, void, undefined> {
    yield label('client', top, ['step', 'requests', 'outage', 'phases']);
    const barsOf = (category: Span['category'], row: number, colour: (span: Span) => string): string =>
      this.#of(category)
        .map((span) => this.#bar(span, top + row * ROW, colour(span), category !== 'request'))
        .join('');
    yield barsOf('step', 0, () => COLOURS.idle);
    yield barsOf('request', 1, ({ name }) => (/ 200 /.test(name) ? COLOURS.good : COLOURS.bad));
    yield barsOf('outage', 2, () => COLOURS.bad);
    yield barsOf('phase', 3, ({ name }) => PHASE_COLOURS.get(name) ?? COLOURS.busy);
  }

  *#lane(node: number, name: string, top: number): Generator<string, void, undefined> {
    yield `<path d="M16 ${top - LANE_GAP / 2 - 1}H${WIDTH - RIGHT}" stroke="${COLOURS.line}"/>\n`;
    yield label(name, top, ['power', 'ring', 'quorum', 'locks', 'service']);
    for (const [i, row] of ROWS.entries()) {
      for (const span of this.#inRow(node, row)) {
        yield this.#bar(span, top + i * ROW, colourOf(span), span.category !== 'agent');
      }
    }
  }

  /** A victim's frame, and who fences it. */
  *#fencing(node: number, top: number, first: number, laneHeight: number): Generator<string, void, undefined> {
    for (const span of this.#of('fencing').filter((each) => each.node === node)) {
      const [x, width] = this.#extent(span);
      const victim = /^fences node (\d+)/.exec(span.name)?.[1];
      if (victim === undefined) {
        yield `<rect x="${x}" y="${top - 1}" width="${width}" height="${ROW}" rx="2" fill="none" stroke="${COLOURS.bad}" stroke-width="1.5">${titleOf(span)}</rect>\n`;
        continue;
      }
      const place = this.#trace.header.nodes.findIndex(({ id }) => id === Number(victim));
      if (place < 0) continue;
      const to = first + place * laneHeight + (place * laneHeight + first > top ? 0 : ROW);
      const tip = to > top ? -5 : 5;
      yield `<path d="M${x} ${top + BAR / 2}V${to}m-3 ${tip}l3 ${-tip}l3 ${tip}" fill="none" stroke="${COLOURS.bad}" stroke-width="1.5">${titleOf(span)}</path>\n`;
    }
  }

  #of(category: Span['category']): readonly Span[] {
    return this.#spans.filter((span) => span.category === category);
  }

  /** What stands later lies above: troubles above what is calm, agents above the service. */
  #inRow(node: number, row: Row): readonly Span[] {
    const own = this.#spans.filter((span) => span.node === node);
    if (row === 'service') {
      const ofCategory = (category: string): Span[] => own.filter((span) => span.category === category);
      return [...ofCategory('service'), ...ofCategory('agent')];
    }
    if (row !== 'dlm') return own.filter(({ category, track }) => category === 'state' && track === row);
    const lockspaces = own.filter(({ category, track }) => category === 'state' && track.startsWith('dlm '));
    const isCalm = ({ name }: Span): boolean => name === 'running';
    return [...lockspaces.filter(isCalm), ...lockspaces.filter((span) => !isCalm(span))];
  }

  #bar(span: Span, y: number, colour: string, isNamed: boolean): string {
    const [x, width] = this.#extent(span);
    const bar = `<rect x="${x}" y="${y}" width="${width}" height="${BAR}" rx="1.5" fill="${colour}">${titleOf(span)}</rect>`;
    const text = shortName(span);
    // About six pixels a character.
    if (!isNamed || width < 6 * text.length) return `${bar}\n`;
    const isDark = colour === COLOURS.calm || colour === COLOURS.idle;
    return `${bar}<text x="${Number((x + 4).toFixed(1))}" y="${y + 8.5}"${isDark ? '' : ' class="k"'}>${escaped(text)}</text>\n`;
  }

  #extent({ from, to }: Span): readonly [x: number, width: number] {
    const start = this.#x(Math.max(from, this.#from));
    return [start, Number(Math.max(1, this.#x(Math.min(to, this.#to)) - start).toFixed(1))];
  }

  #x(at: Nanos): number {
    return Number((LEFT + (at - this.#from) * this.#scale).toFixed(1));
  }
}

function label(name: string, top: number, rows: readonly string[]): string {
  const texts = rows.map(
    (row, i) => `<text x="${LEFT - 8}" y="${top + i * ROW + 8.5}" text-anchor="end" class="d">${row}</text>`,
  );
  return `<text x="16" y="${top + 9}" class="n">${escaped(name)}</text>${texts.join('')}\n`;
}

function colourOf({ category, name }: Span): string {
  if (category === 'service') return COLOURS.service;
  if (category === 'agent') return name.startsWith('stop') ? COLOURS.dim : '#2f7f86';
  return STATE_COLOURS.find(([start]) => name.startsWith(start))?.[1] ?? COLOURS.busy;
}

function shortName({ category, name, track }: Span): string {
  if (category === 'step') return name.split(': ')[0]!;
  if (category === 'service') return track.replace(/^service:/, '');
  if (category === 'phase' || category === 'outage') return name;
  return name.split(/[:,]/)[0]!;
}

function titleOf({ name, track, node, from, to, isOpen }: Span): string {
  const what = node === WORLD_NODE || node === DRIVER_NODE || name.startsWith(track) ? name : `${track}: ${name}`;
  const end = isOpen ? 'the end' : `${seconds(to)} s, ${((to - from) / SECOND).toFixed(3)} s`;
  return `<title>${escaped(what)}, ${seconds(from)} s to ${end}</title>`;
}

function seconds(at: Nanos): string {
  return (at / SECOND).toFixed(3);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
