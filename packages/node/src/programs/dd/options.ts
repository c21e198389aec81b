/** What a command line of dd says. */
export interface Wanted {
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Bytes of a block. */
  readonly block: number;
  readonly count: number;
  /** Blocks that are left out at the beginning of the input and of the output. */
  readonly skip: number;
  readonly seek: number;
  readonly keepsRest: boolean;
  /** On stable storage: at the end, or after each block. */
  readonly syncs: 'never' | 'end' | 'block';
}

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  c: 1,
  w: 2,
  b: 512,
  kB: 1000,
  K: 1024,
  MB: 1_000_000,
  M: 1 << 20,
  GB: 1_000_000_000,
  G: 2 ** 30,
};
const NUMBERS = ['bs', 'count', 'skip', 'seek'];
const CONVERSIONS = ['notrunc', 'fsync', 'fdatasync'];
const FLAGS = ['direct', 'dsync', 'sync'];

/** Or what is wrong with the words. */
export function parseWanted(words: readonly string[]): Wanted | string {
  const given = new Map<string, string>();
  for (const word of words) {
    const [, name = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(word) ?? [];
    if (!['if', 'of', 'conv', 'iflag', 'oflag', ...NUMBERS].includes(name)) return `unrecognized operand \`${word}'`;
    given.set(name, value);
  }
  const number = (name: string, otherwise: number): number => sizeOf(given.get(name)) ?? otherwise;
  const wrong = NUMBERS.find(
    (name) => given.has(name) && (sizeOf(given.get(name)) ?? (name === 'bs' ? 0 : -1)) < (name === 'bs' ? 1 : 0),
  );
  if (wrong !== undefined) return `invalid number \`${given.get(wrong)}'`;
  const list = (name: string): readonly string[] => given.get(name)?.split(',') ?? [];
  const conversion = list('conv').find((each) => !CONVERSIONS.includes(each));
  if (conversion !== undefined) return `invalid conversion: \`${conversion}'`;
  for (const [name, what] of [
    ['iflag', 'input'],
    ['oflag', 'output'],
  ] as const) {
    const flag = list(name).find((each) => !FLAGS.includes(each));
    if (flag !== undefined) return `invalid ${what} flag: \`${flag}'`;
  }
  const isSynced = list('oflag').some((flag) => flag !== 'direct');
  return {
    from: given.get('if'),
    to: given.get('of'),
    block: number('bs', 512),
    count: number('count', Number.POSITIVE_INFINITY),
    skip: number('skip', 0),
    seek: number('seek', 0),
    keepsRest: list('conv').includes('notrunc'),
    syncs: isSynced ? 'block' : list('conv').some((each) => each !== 'notrunc') ? 'end' : 'never',
  };
}

/** `4k`, `1M`, `512`; undefined when it is no size. */
function sizeOf(text: string | undefined): number | undefined {
  const [, digits, suffix = ''] = /^(\d+)([A-Za-z]*)$/.exec(text ?? '') ?? [];
  const factor = SUFFIXES[suffix === 'k' ? 'K' : suffix];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
