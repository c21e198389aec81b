import { type Choices, type Nanos, SECOND, type World } from '@quorate/kernel';
import { DAMAGE_STEPS } from './damage.js';
import { type LinkParameters, linkPreset } from './link-parameters.js';

/** Why a frame came to nothing, in the order in which a frame meets the reasons. */
export type DropReason =
  | 'runt'
  | 'down'
  | 'mtu'
  | 'queue'
  | 'no-receiver'
  | 'partition'
  | 'loss'
  | 'cut'
  | 'receiver-down';

/** In place of a receiver: a frame that was meant for a group, or refused before the switch looked for a receiver. */
export const NO_NIC = -1;

/** The most copies that one frame arrives in. */
const MOST_COPIES = 4;
const STEPS = 0x10_0000;
const NOTHING = new Uint8Array(0);

/**
 * One direction between two ports of the switch, or (to `NO_NIC`) a port's way to everybody.
 *
 * All chance comes from three streams of the world, and how often each is asked does not depend on the parameters:
 *
 * - `net/<from>><to>`, ten questions for each frame that leaves the egress queue, lost or not, cut or not:
 *   `burst`, `loss`, `duplicate`, `corrupt`, `damage`, `latency`, `tail`, `slow`, `reorder`, `reorder-delay`;
 * - `net/<from>><to>/copies`, eight questions for each further copy: the last seven of those, then `duplicate`;
 * - `net/<from>><to>/clog`, two questions in each second with traffic, while `clog` is above 0.
 *
 * So a fault switched on here moves no outcome of another kind, and none of another link.
 */
export class Link {
  readonly from: number;
  readonly to: number;
  isCut = false;
  /** Further frames wait at least until then; see `LinkParameters.clog` and the input `clog`. */
  clogUntil: Nanos = 0;
  /** The link's last frame, kept only while frames are spliced. */
  previous: Uint8Array = NOTHING;
  readonly counters: { sent: number; delivered: number; bytes: number } = { sent: 0, delivered: 0, bytes: 0 };
  readonly dropped: Map<DropReason, number> = new Map();

  // The fate of the frame at hand, drawn by `decide` and `decideCopy`.
  isLost = false;
  isCorrupt = false;
  isReordered = false;
  damageStep = 0;
  #latency: Nanos = 0;
  #hasCopy = false;
  #copies = 1;

  readonly #world: World;
  #choices: Choices | undefined;
  #copyChoices: Choices | undefined;
  #clogChoices: Choices | undefined;
  #parameters: LinkParameters = linkPreset('lan');
  #thresholds = thresholdsOf(this.#parameters);
  #isBad = false;
  #freeAt: Nanos = 0;
  #departures = new Float64Array(0);
  #departure = 0;
  #lastDue: Nanos = 0;
  #clogSecond = -1;

  constructor(from: number, to: number, world: World) {
    this.from = from;
    this.to = to;
    this.#world = world;
  }

  get parameters(): LinkParameters {
    return this.#parameters;
  }

  /** Frames on their way keep the fate that they have; the memory of the egress queue starts anew with its length. */
  set parameters(parameters: LinkParameters) {
    if (parameters.queueFrames !== this.#parameters.queueFrames) this.#departures = new Float64Array(0);
    this.#parameters = parameters;
    this.#thresholds = thresholdsOf(parameters);
    if (parameters.damage !== 'splice') this.previous = NOTHING;
  }

  /**
   * Puts a frame in the egress queue: the instant at which its last bit leaves, or -1 when the queue is full.
   *
   * The queue is full when the frame sent `queueFrames` before this one has not left yet.
   */
  depart(now: Nanos, bytes: number): Nanos {
    if (this.#departures.length === 0) {
      this.#departures = new Float64Array(this.#parameters.queueFrames);
      this.#departure = 0;
    }
    if (this.#departures[this.#departure]! > now) return -1;
    const start = Math.max(now, this.#freeAt);
    this.#freeAt = start + Math.ceil((bytes * 8e9) / this.#parameters.bandwidth);
    this.#departures[this.#departure] = this.#freeAt;
    this.#departure = (this.#departure + 1) % this.#departures.length;
    return this.#freeAt;
  }

  /** Draws the fate of a frame and of its first copy. */
  decide(now: Nanos): void {
    this.#choices ??= this.#world.choices(`net/${this.from}>${this.to}`);
    const choices = this.#choices;
    const odds = this.#thresholds;
    this.#isBad = choices.happens('burst', this.#isBad ? odds.burstStay : odds.burstStart);
    this.isLost = choices.happens('loss', this.#isBad ? odds.burstLoss : odds.loss);
    this.#hasCopy = choices.happens('duplicate', odds.duplicate);
    this.#copies = 1;
    this.#decideArrival(choices);
    if (odds.clog > 0) this.#decideClog(now);
  }

  /** Draws the fate of a further copy of the frame; false when there is none. */
  decideCopy(): boolean {
    if (!this.#hasCopy || this.#copies === MOST_COPIES) return false;
    this.#copyChoices ??= this.#world.choices(`net/${this.from}>${this.to}/copies`);
    const choices = this.#copyChoices;
    this.#copies += 1;
    this.#decideArrival(choices);
    this.#hasCopy = choices.happens('duplicate', this.#thresholds.duplicate);
    return true;
  }

  /** When the copy just decided arrives: on a FIFO link no earlier than the one before it. */
  arrival(departure: Nanos): Nanos {
    const due = Math.max(departure, this.clogUntil) + this.#latency;
    if (this.isReordered) return due;
    // The clog counts before the order: the other way round its end would let a later frame overtake.
    this.#lastDue = Math.max(due, this.#lastDue);
    return this.#lastDue;
  }

  count(reason: DropReason): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
  }

  #decideArrival(choices: Choices): void {
    const odds = this.#thresholds;
    const parameters = this.#parameters;
    this.isCorrupt = choices.happens('corrupt', odds.corrupt);
    this.damageStep = choices.choose('damage', DAMAGE_STEPS);
    const extra = choices.exponential('latency', parameters.extraLatency);
    const tail = choices.choose('tail', STEPS);
    const isSlow = choices.happens('slow', odds.slow);
    this.isReordered = choices.happens('reorder', odds.reorder);
    const delayStep = choices.choose('reorder-delay', STEPS);
    this.#latency =
      parameters.baseLatency +
      Math.min(parameters.latencyCap, extra + pareto(parameters.tailLatency, tail)) +
      (isSlow ? parameters.slowLatency : 0) +
      (this.isReordered ? Math.floor((parameters.reorderDelay * delayStep) / STEPS) : 0);
  }

  #decideClog(now: Nanos): void {
    const second = Math.floor(now / SECOND);
    if (second === this.#clogSecond) return;
    this.#clogSecond = second;
    this.#clogChoices ??= this.#world.choices(`net/${this.from}>${this.to}/clog`);
    const choices = this.#clogChoices;
    const isClogged = choices.happens('clog', this.#thresholds.clog);
    const duration = choices.exponential('clog-duration', this.#parameters.clogDuration);
    if (isClogged) this.clogUntil = Math.max(this.clogUntil, now + duration);
  }
}

/** A Pareto sample of shape 2 shifted to begin at 0, by its quantile `step` / 2^20; a square root is exact everywhere. */
function pareto(mean: Nanos, step: number): Nanos {
  return mean === 0 ? 0 : Math.floor(mean * (1 / Math.sqrt(1 - step / STEPS) - 1));
}

interface Thresholds {
  readonly burstStart: number;
  readonly burstStay: number;
  readonly burstLoss: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly corrupt: number;
  readonly slow: number;
  readonly reorder: number;
  readonly clog: number;
}

function thresholdsOf(parameters: LinkParameters): Thresholds {
  return {
    burstStart: threshold(parameters.burstStart),
    // Asked as "does it stay bad": the tame answer ends the burst.
    burstStay: threshold(1 - parameters.burstEnd),
    burstLoss: threshold(parameters.burstLoss),
    loss: threshold(parameters.loss),
    duplicate: threshold(parameters.duplicate),
    corrupt: threshold(parameters.corrupt),
    slow: threshold(parameters.slow),
    reorder: threshold(parameters.reorder),
    clog: threshold(parameters.clog),
  };
}

/** A probability as `Choices.happens` takes it. */
function threshold(probability: number): number {
  return Math.round(probability * 0x1_0000_0000);
}
