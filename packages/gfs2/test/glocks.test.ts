import { MILLISECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type Command, checkTranscript, commandOf } from '../../../tooling/transcript.js';
import { DlmFlag, DlmMode, DlmStatus, DlmStatusFlag } from '../src/glock/dlm-lock.js';
import { demoteStateFor, Glock, type GlockState, Holder, HolderFlag, modeOf } from '../src/glock/glock.js';
import { GlockType, glockName, glockTypeName, parseGlockName } from '../src/glock/glock-name.js';
import { type GlockFact, type GlockOutput, Glocks } from '../src/glock/glocks.js';

describe('names', () => {
  it.each([
    [GlockType.inode, 11598, '       2            2d4e'],
    [GlockType.nondisk, 1, '       1               1'],
    [GlockType.journal, 4, '       9               4'],
    [GlockType.rgrp, 2 ** 40, '       3     10000000000'],
  ] as const)('type %s number %s', (type, number, name) => {
    expect(glockName(type, number)).toBe(name);
    expect(name).toHaveLength(24);
    expect(parseGlockName(name)).toEqual({ type, number });
  });

  it.each(['', '       2', '        2           2d4e ', '       2            2D4E', '       x               1'])(
    'refuses "%s"',
    (name) => expect(parseGlockName(name)).toBeUndefined(),
  );
});

it.each([
  ['UN', DlmMode.NL],
  ['SH', DlmMode.PR],
  ['DF', DlmMode.CW],
  ['EX', DlmMode.EX],
] as const)('state %s is mode %s', (state, mode) => expect(modeOf(state)).toBe(mode));

it.each([
  [DlmMode.EX, 'UN'],
  [DlmMode.CW, 'DF'],
  [DlmMode.PR, 'SH'],
] as const)('a wish for mode %s asks us down to %s', (mode, state) => expect(demoteStateFor(mode)).toBe(state));

describe('what the cached state serves', () => {
  const { ANY, EXACT, NODE_SCOPE } = HolderFlag;
  it.each([
    // cached held    wanted flags     granted
    ['SH', undefined, 'SH', 0, true],
    ['SH', undefined, 'EX', 0, false],
    ['EX', undefined, 'SH', 0, true],
    ['EX', undefined, 'DF', 0, true],
    ['EX', undefined, 'SH', EXACT, false],
    ['DF', undefined, 'SH', 0, false],
    ['DF', undefined, 'SH', ANY, true],
    ['UN', undefined, 'SH', ANY, false],
    ['SH', 'SH', 'SH', 0, true],
    ['EX', 'SH', 'DF', 0, false],
    ['EX', 'EX', 'SH', 0, false],
    ['EX', 'EX', 'EX', 0, false],
    ['EX', 'EX', 'EX', NODE_SCOPE, true],
  ] as const)('%s cached, %s held: %s with flags %s', (cached, held, wanted, flags, granted) => {
    const glock = new Glock(GlockType.rgrp, 17, 1, false);
    glock.state = cached;
    const current = held === undefined ? undefined : new Holder(glock, held, flags & NODE_SCOPE);
    expect(glock.mayGrant(current, new Holder(glock, wanted, flags))).toBe(granted);
  });
});

/** Plays a transcript against one machine, and against a DLM that answers when the transcript says so. */
class Bench {
  #now = 0;
  #glocks = new Glocks({ protocol: 'lock_dlm', lvbTypes: new Set([GlockType.rgrp]), maxUnused: 2, observe: () => {} });
  readonly #holders = new Map<string, Holder>();
  readonly #out: string[] = [];

  run({ words, options }: Command): readonly string[] {
    this.#out.length = 0;
    if (options.has('at')) this.#now = Number.parseInt(options.get('at')!, 10) * MILLISECOND;
    this.#command(words[0]!, words.slice(1));
    return [...this.#out];
  }

  #command(verb: string, words: readonly string[]): void {
    const step = (input: Parameters<Glocks['step']>[1]) =>
      this.#glocks.step(this.#now, input, (output) => this.#out.push(...this.#print(output)));
    switch (verb) {
      case 'new':
        this.#glocks = new Glocks({
          protocol: words[0] === 'lock_nolock' ? 'lock_nolock' : 'lock_dlm',
          lvbTypes: new Set([GlockType.rgrp]),
          maxUnused: 2,
          observe: (fact) => this.#out.push(factLine(fact)),
        });
        this.#holders.clear();
        return;
      case 'enqueue': {
        const flags = words.slice(3).reduce((sum, flag) => sum | HolderFlag[flag as keyof typeof HolderFlag], 0);
        const holder = new Holder(this.#glock(words[1]!), words[2] as GlockState, flags);
        this.#holders.set(words[0]!, holder);
        return step({ kind: 'enqueue', holder });
      }
      case 'dequeue':
        return step({ kind: 'dequeue', holder: this.#holders.get(words[0]!)! });
      case 'cast': {
        const status = DlmStatus[(words[1] ?? 'granted') as keyof typeof DlmStatus];
        const flags = words[2] === undefined ? 0 : DlmStatusFlag[words[2] as keyof typeof DlmStatusFlag];
        return step({ kind: 'lock-cast', handle: this.#glock(words[0]!).handle, status, mode: 0, flags });
      }
      case 'bast': {
        const mode = DlmMode[words[1] as keyof typeof DlmMode];
        return step({ kind: 'lock-bast', handle: this.#glock(words[0]!).handle, mode });
      }
      case 'refused':
        return step({ kind: 'call-refused', handle: this.#glock(words[0]!).handle, errno: 'EBUSY' });
      case 'dirty':
        this.#glock(words[0]!).space.pinned = 1;
        return;
      case 'synced':
        this.#glock(words[0]!).space.pinned = 0;
        return step({ kind: 'synced', glock: this.#glock(words[0]!) });
      case 'block':
      case 'unblock':
        return step({ kind: 'block-locks', isBlocked: verb === 'block' });
      case 'demote':
        return step({ kind: 'demote', glock: this.#glock(words[0]!), state: 'UN' });
      case 'wake':
        return step({ kind: 'wake' });
      case 'deadline':
        this.#out.push(`${this.#glocks.deadline() / MILLISECOND} ms`);
        return;
      case 'show':
        this.#out.push(...this.#glocks.inspect().map((glock) => `${glock.name} ${glock.state}`));
        return;
      default:
        throw new Error(`no command ${verb}`);
    }
  }

  #glock(text: string): Glock {
    const [type, number] = text.split('/');
    return this.#glocks.get(GlockType[type as keyof typeof GlockType], Number(number));
  }

  #name(holder: Holder): string {
    for (const [name, other] of this.#holders) if (other === holder) return name;
    return '?';
  }

  #print(output: GlockOutput): string[] {
    switch (output.kind) {
      case 'lock': {
        const lvb = output.lvb === undefined ? '' : ` lvb=${output.lvb.length}`;
        return [`lock "${output.name}" ${nameOf(DlmMode, output.mode)}${flagNames(output.flags)}${lvb}`];
      }
      case 'unlock':
        return [`unlock ${output.handle}${flagNames(output.flags)}`];
      case 'granted':
        return [`granted ${this.#name(output.holder)}`];
      case 'failed':
        return [`failed ${this.#name(output.holder)} ${output.holder.status}`];
      case 'sync':
        return [`sync ${glockTypeName(output.glock.type)}/${output.glock.number}`];
      case 'invalidate':
        return [
          `invalidate ${glockTypeName(output.glock.type)}/${output.glock.number}${output.isMetadataKept ? ' data' : ''}`,
        ];
      case 'wanted':
        return [`wanted ${glockTypeName(output.glock.type)}/${output.glock.number} ${output.state}`];
    }
  }
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}

function flagNames(flags: number): string {
  return Object.entries(DlmFlag)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => ` ${name}`)
    .join('');
}

function factLine({ type, number, state, isRecovery }: GlockFact): string {
  return `fact ${glockTypeName(type)}/${number} ${state}${isRecovery ? ' recovery' : ''}`;
}

it('plays its transcript', () => {
  const bench = new Bench();
  checkTranscript(new URL('data/glocks.txt', import.meta.url), (lines) =>
    lines.flatMap((line) => bench.run(commandOf(line))),
  );
});
