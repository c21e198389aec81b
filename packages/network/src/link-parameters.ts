import { ConfigError, MICROSECOND, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';

/** Some bytes that a frame must have at a place: names a kind of frame, such as totem's token, by its own bytes. */
export interface FramePattern {
  /** Offset from the first byte of the Ethernet header. */
  readonly at: number;
  /** The byte that must stand there, 0..255. */
  readonly byte: number;
}

/** What happens to a damaged frame: one bit turned, one byte replaced, its end cut off, or another frame's end put on. */
export type Damage = 'bit' | 'byte' | 'truncate' | 'splice';

/** How one directed link treats frames. Probabilities are fractions 0..1. */
export interface LinkParameters {
  /** The latency that every frame has. */
  readonly baseLatency: Nanos;
  /** Mean of an exponentially distributed addition; 0 for none. */
  readonly extraLatency: Nanos;
  /** Mean of an addition with a long tail (Pareto, shape 2, shifted to 0); 0 for none. */
  readonly tailLatency: Nanos;
  /** Neither addition exceeds this. */
  readonly latencyCap: Nanos;
  /** How often a frame takes `slowLatency` more: a host that was busy elsewhere. */
  readonly slow: number;
  readonly slowLatency: Nanos;
  /** Bits per second. */
  readonly bandwidth: number;
  /** Frames that wait for their turn to be sent; one more is dropped. */
  readonly queueFrames: number;
  /** The largest Ethernet payload, in bytes. */
  readonly mtuBytes: number;
  readonly loss: number;
  /** Of Gilbert and Elliott: chance per frame to turn bad. */
  readonly burstStart: number;
  /** Chance per frame to turn good again. */
  readonly burstEnd: number;
  /** Loss while bad. */
  readonly burstLoss: number;
  /** When given, only frames with all of these bytes can be lost; everything else passes. */
  readonly lossOnly: readonly FramePattern[];
  /** Chance of a further copy, asked again for each copy, up to four in all. */
  readonly duplicate: number;
  readonly corrupt: number;
  readonly damage: Damage;
  /** How often a frame is held back by up to `reorderDelay`, so that later ones overtake it. 0 keeps the link FIFO. */
  readonly reorder: number;
  readonly reorderDelay: Nanos;
  /** Chance per second that the link stops for a while and then delivers what it held. */
  readonly clog: number;
  /** Mean of that while, exponentially distributed. */
  readonly clogDuration: Nanos;
}

export type LinkPreset = 'loopback' | 'lan' | 'lan-congested' | 'hyperv-vswitch' | 'metro' | 'wan';

/** A switched gigabit segment. Source of the figures: Quorate's simulation specification, section 6.2. */
const LAN: LinkParameters = {
  baseLatency: 50 * MICROSECOND,
  extraLatency: 30 * MICROSECOND,
  tailLatency: 0,
  latencyCap: 20 * MILLISECOND,
  slow: 0,
  slowLatency: 0,
  bandwidth: 1e9,
  queueFrames: 256,
  mtuBytes: 1500,
  loss: 0,
  burstStart: 0,
  burstEnd: 1,
  burstLoss: 1,
  lossOnly: [],
  duplicate: 0,
  corrupt: 0,
  damage: 'bit',
  reorder: 0,
  reorderDelay: 0,
  clog: 0,
  clogDuration: 0,
};

const PRESETS: ReadonlyMap<LinkPreset, LinkParameters> = new Map([
  ['loopback', { ...LAN, baseLatency: 10 * MICROSECOND, extraLatency: 0, bandwidth: 1e11 }],
  ['lan', LAN],
  ['lan-congested', { ...LAN, extraLatency: 400 * MICROSECOND, bandwidth: 1e8, queueFrames: 64, loss: 0.001 }],
  [
    'hyperv-vswitch',
    {
      ...LAN,
      baseLatency: 120 * MICROSECOND,
      extraLatency: 80 * MICROSECOND,
      slow: 0.001,
      slowLatency: 10 * MILLISECOND,
      bandwidth: 1e10,
    },
  ],
  ['metro', { ...LAN, baseLatency: MILLISECOND, extraLatency: 50 * MICROSECOND }],
  [
    'wan',
    {
      ...LAN,
      baseLatency: 40 * MILLISECOND,
      extraLatency: 0,
      tailLatency: 2 * MILLISECOND,
      latencyCap: SECOND,
      bandwidth: 1e8,
    },
  ],
]);

/** The parameters that a preset stands for. */
export function linkPreset(name: LinkPreset): LinkParameters {
  const parameters = PRESETS.get(name);
  if (parameters === undefined) throw new ConfigError('link', name, [...PRESETS.keys()].join(', '));
  return parameters;
}

const PROBABILITIES = [
  'loss',
  'burstStart',
  'burstEnd',
  'burstLoss',
  'duplicate',
  'corrupt',
  'reorder',
  'slow',
  'clog',
] as const;
const TIMES = [
  'baseLatency',
  'extraLatency',
  'tailLatency',
  'latencyCap',
  'slowLatency',
  'reorderDelay',
  'clogDuration',
] as const;

/** @throws {ConfigError} when a probability is outside 0..1, a time no whole number of ns, or a size not positive. */
export function checkLinkParameters(parameters: LinkParameters): LinkParameters {
  for (const name of PROBABILITIES) {
    const value = parameters[name];
    if (!(value >= 0 && value <= 1)) throw new ConfigError(`link.${name}`, String(value), 'a fraction from 0 to 1');
  }
  for (const name of TIMES) {
    const value = parameters[name];
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConfigError(`link.${name}`, String(value), 'a whole number of nanoseconds');
    }
  }
  if (!(parameters.bandwidth > 0)) throw new ConfigError('link.bandwidth', String(parameters.bandwidth), 'bits per s');
  for (const name of ['queueFrames', 'mtuBytes'] as const) {
    const value = parameters[name];
    if (!Number.isSafeInteger(value) || value < 1) throw new ConfigError(`link.${name}`, String(value), 'at least 1');
  }
  return parameters;
}
