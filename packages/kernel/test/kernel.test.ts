import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AssertionError,
  asciiBytes,
  assert,
  ByteReader,
  ByteWriter,
  bytesEqual,
  Checker,
  ConfigError,
  concatBytes,
  crc32,
  crc32c,
  crc32cRaw,
  cString,
  defineInvariant,
  type Fact,
  fmix32,
  fork,
  fromHex,
  getI64,
  guarded,
  hex,
  join,
  latin1,
  murmur3,
  type Nanos,
  PENDING,
  Prng,
  parseSeed,
  SeededWorld,
  setI64,
  sleep,
  TAME_WORLD,
  type Task,
  TaskRunner,
  u16At,
  u32At,
  utf8Bytes,
  utf8Text,
  viewOf,
} from '../src/index.js';

describe('checksums', () => {
  it.each([
    ['', 0],
    ['123456789', 0xcbf43926],
    ['.', 0x0ed4e242],
    ['..', 0x9608161c],
  ] as const)('CRC-32 of "%s"', (text, expected) => {
    expect(crc32(asciiBytes(text))).toBe(expected);
  });

  it.each([
    // RFC 7143 lists these as the bytes on the wire, least significant first
    ['00'.repeat(32), 'aa36918a'],
    ['ff'.repeat(32), '43aba862'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '4e79dd46'],
    ['1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100', '5cdb3f11'],
  ] as const)('CRC-32C of %s', (input, expected) => {
    const crc = crc32c(fromHex(input));
    expect(hex(new Uint8Array([crc, crc >>> 8, crc >>> 16, crc >>> 24]))).toBe(expected);
  });

  it('the raw form of CRC-32C lacks the final inversion', () => {
    const bytes = asciiBytes('journal');
    expect(crc32cRaw(bytes)).toBe(~crc32c(bytes) >>> 0);
  });

  it('any split of the range agrees with a byte at a time', () => {
    const slow = (bytes: Uint8Array): number => {
      let crc = -1;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
      }
      return ~crc >>> 0;
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(8), (bytes, skip) => {
        const start = Math.min(skip, bytes.length);
        expect(crc32(bytes, start)).toBe(slow(bytes.subarray(start)));
      }),
    );
  });
});

describe('random streams', () => {
  it('xoshiro128** from state 1, 2, 3, 4', () => {
    const prng = new Prng(1, 2, 3, 4);
    expect(Array.from({ length: 8 }, () => prng.next())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849,
    ]);
  });

  it('integers below 10 from state 1, 2, 3, 4', () => {
    const prng = new Prng(1, 2, 3, 4);
    expect(Array.from({ length: 9 }, () => prng.below(10))).toEqual([0, 0, 0, 0, 4, 3, 2, 8, 8]);
  });

  it('murmur3', () => {
    expect(murmur3(asciiBytes('test'))).toBe(3127628307);
    expect(murmur3(asciiBytes('Hello, world!'), 1234)).toBe(0xfaf6cdb3);
    expect(fmix32(0)).toBe(0);
  });

  it.each([
    [{ hi: 0, lo: 1 }, 'net/1>2', [0x21928019, 0x825f0671, 0x18bf6957, 0x76b33c93]],
    [{ hi: 0, lo: 1 }, 'net/2>1', [0x996e9150, 0xb2aff49a, 0xea882ec7, 0x3735ea06]],
  ])('the stream of seed %j named %s', (seed, name, state) => {
    expect(Prng.derive(seed, name).inspect()).toEqual(state);
  });

  it('first draws of derived streams', () => {
    const net = Prng.derive({ hi: 0, lo: 1 }, 'net/1>2');
    expect([net.next(), net.next(), net.next(), net.next()]).toEqual([1511059693, 2584153204, 2093949814, 135501987]);
    const nemesis = Prng.derive({ hi: 0xdeadbeef, lo: 0x12345678 }, 'nemesis');
    expect([nemesis.next(), nemesis.next(), nemesis.next(), nemesis.next()]).toEqual([
      1197448887, 3236198655, 400638582, 2195643424,
    ]);
  });

  it('exponential samples are integers with the right mean', () => {
    const prng = new Prng(1, 2, 3, 4);
    expect(Array.from({ length: 5 }, () => prng.exponential(65536))).toEqual([0, 0, 90, 1089, 41985]);
    let sum = 0;
    for (let i = 0; i < 100_000; i++) sum += prng.exponential(65536);
    expect(sum / 100_000 / 65536).toBeGreaterThan(0.98);
    expect(sum / 100_000 / 65536).toBeLessThan(1.02);
  });

  it('a state of zeros is refused', () => {
    expect(() => new Prng(0, 0, 0, 0)).toThrow(RangeError);
  });

  it.each([
    ['7', { hi: 0, lo: 7 }],
    ['4294967296', { hi: 1, lo: 0 }],
    ['0xDEADBEEF12345678', { hi: 0xdeadbeef, lo: 0x12345678 }],
    ['18446744073709551616', undefined],
    ['-1', undefined],
    ['seven', undefined],
    ['', undefined],
  ] as const)('seed text "%s"', (text, seed) => {
    expect(parseSeed(text)).toEqual(seed);
  });
});

describe('bytes', () => {
  it('fields read without a view are what a view reads, in either byte order', () => {
    const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 2 }), fc.boolean(), (field, at, littleEndian) => {
        const view = viewOf(field);
        expect(u16At(field, at, littleEndian)).toBe(view.getUint16(at, littleEndian));
        expect(u32At(field, at, littleEndian)).toBe(view.getUint32(at, littleEndian));
      }),
    );
  });

  it('what is written is read again, in both byte orders', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        fc.uint8Array({ maxLength: 9 }),
        (little, a, b, c, d, e, f) => {
          const writer = new ByteWriter(little, 1);
          writer.u8(a).u16(b).u32(c).u64(d).big64(e).raw(f, 9);
          const reader = new ByteReader(writer.bytes(), little);
          expect([reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.big64()]).toEqual([a, b, c, d, e]);
          expect(reader.raw(9).subarray(0, f.length)).toEqual(f);
          expect(reader.ok && reader.left === 0).toBe(true);
        },
      ),
    );
  });

  it('reading past the end gives zeros and says so', () => {
    const reader = new ByteReader(new Uint8Array([1, 2, 3]), false);
    expect(reader.u16()).toBe(0x0102);
    expect(reader.u32()).toBe(0);
    expect(reader.ok).toBe(false);
    expect(reader.raw(4)).toHaveLength(0);
  });

  it('UTF-8 both ways equals the platform', () => {
    // Code points of every length, halves of surrogate pairs among them.
    const codePoint = fc.oneof(fc.nat(0x7f), fc.nat(0x7ff), fc.nat(0xffff), fc.integer({ min: 0xd700, max: 0x10ffff }));
    const anyText = fc.array(codePoint).map((codes) => String.fromCodePoint(...codes));
    fc.assert(
      fc.property(anyText, fc.uint8Array({ maxLength: 12 }), (text, noise) => {
        expect(utf8Bytes(text)).toEqual(new TextEncoder().encode(text));
        expect(utf8Text(utf8Bytes(text))).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(utf8Bytes(text)));
        expect(typeof utf8Text(noise)).toBe('string');
      }),
    );
  });

  it('signed 64-bit fields keep every integer that a number holds, in both byte orders', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.boolean(), (value, little) => {
        const view = viewOf(new Uint8Array(9).subarray(1));
        setI64(view, 0, value, little);
        expect(view.getBigInt64(0, little)).toBe(BigInt(value));
        expect(getI64(view, 0, little)).toBe(value);
      }),
    );
  });

  it('a writer cuts, fills, leaves gaps and patches', () => {
    const writer = new ByteWriter(false, 4);
    writer.u16(0).raw(asciiBytes('abc'), 2).raw(asciiBytes('d'), 3).zeros(2).u32(-2).patch16(0, 0x1234).patch32(7, 5);
    expect(hex(writer.bytes())).toBe('1234' + '6162' + '640000' + '00000005' + 'fffe');
    expect(writer.length).toBe(13);
    expect(writer.reset().bytes()).toHaveLength(0);
  });

  it('a text field ends at its NUL, a fixed field at its end', () => {
    const field = fromHex('6162 e9 00 63');
    expect([cString(field), cString(field, 3), latin1(field), hex(asciiBytes('aé'))]).toEqual([
      'abé',
      '',
      'abé\0c',
      '613f',
    ]);
  });

  it('bytes are equal when they are as many and the same', () => {
    expect(bytesEqual(fromHex('0102'), concatBytes(fromHex('01'), fromHex(''), fromHex('02')))).toBe(true);
    expect(bytesEqual(fromHex('0102'), fromHex('0103'))).toBe(false);
    expect(bytesEqual(fromHex('0102'), fromHex('01'))).toBe(false);
  });

  it('hex refuses what is not hex', () => {
    expect(fromHex('00 ff')).toEqual(new Uint8Array([0, 255]));
    for (const text of ['0g', 'g0', ':0', 'fé', '012']) expect(() => fromHex(text)).toThrow(RangeError);
  });
});

/** Runs tasks to their end by their own deadlines; requests are answered by `serve`. */
function drive(
  start: (runner: TaskRunner) => Task<unknown>,
  serve: (now: Nanos, request: unknown) => unknown,
): string[] {
  const log: string[] = [];
  const runner = new TaskRunner((now, _id, request) => serve(now, request));
  let now = 0;
  const emit = (output: { id: number; result: unknown }): void => {
    log.push(`${now} ended ${output.id} ${String(output.result)}`);
  };
  runner.step(now, { kind: 'start', id: runner.newId(), task: start(runner) }, emit);
  while (runner.deadline() !== Infinity) {
    now = runner.deadline();
    runner.step(now, { kind: 'wake' }, emit);
  }
  return log;
}

describe('the task runner', () => {
  it('resumes a task with the reply of its server and with the end of its sleep', () => {
    const log = drive(
      function* () {
        const two = (yield 'two') as number;
        yield* sleep(two * 10);
        return (yield 'two') as number;
      },
      () => 2,
    );
    expect(log).toEqual(['20 ended 1 2']);
  });

  it('a fork runs beside its parent and its result can be joined', () => {
    const log = drive(
      function* () {
        const child = yield* fork(
          (function* () {
            yield* sleep(30);
            return 'child';
          })(),
        );
        yield* sleep(10);
        return yield* join(child);
      },
      () => undefined,
    );
    expect(log).toEqual(['30 ended 2 child', '30 ended 1 child']);
  });

  it('a fork that ended before it was joined keeps its result', () => {
    const log = drive(
      function* () {
        const child = yield* fork(
          (function* () {
            return 'early';
          })(),
        );
        yield* sleep(10);
        return yield* join(child);
      },
      () => undefined,
    );
    expect(log).toEqual(['0 ended 2 early', '10 ended 1 early']);
  });

  it('a cancelled task runs its finally block and ignores late replies', () => {
    const log: string[] = [];
    const runner = new TaskRunner(() => PENDING);
    const emit = (): void => {
      log.push('ended');
    };
    const id = runner.newId();
    const task = (function* (): Task {
      try {
        yield 'never answered';
      } finally {
        log.push('cleaned');
      }
    })();
    runner.step(0, { kind: 'start', id, task }, emit);
    runner.step(1, { kind: 'cancel', id }, emit);
    runner.step(2, { kind: 'reply', id, value: 1 }, emit);
    expect(log).toEqual(['cleaned']);
    expect(runner.size).toBe(0);
  });

  it('cancelling a task cancels what it forked', () => {
    const log: string[] = [];
    const runner = new TaskRunner(() => PENDING);
    const id = runner.newId();
    const task = (function* (): Task {
      yield* fork(
        (function* () {
          yield* sleep(5);
          log.push('the fork went on');
        })(),
      );
      yield 'never answered';
    })();
    runner.step(0, { kind: 'start', id, task }, () => {});
    runner.step(1, { kind: 'cancel', id }, () => {});
    runner.step(5, { kind: 'wake' }, () => {});
    expect(log).toEqual([]);
    expect(runner.deadline()).toBe(Infinity);
  });

  it('what nobody joins is not kept when it has no result', () => {
    let runner: TaskRunner | undefined;
    drive(
      function* (own) {
        runner = own;
        for (let n = 0; n < 100; n++) yield* fork(sleep(n));
        yield* sleep(200);
      },
      () => undefined,
    );
    expect(runner!.inspect()).toEqual({ tasks: [], resultsKept: 0 });
  });

  it('two tasks that wait for one are a bug of theirs: the first would wait for ever', () => {
    const both = function* (): Task {
      const child = yield* fork(sleep(5));
      yield* fork(join(child));
      yield* fork(join(child));
    };
    expect(() => drive(both, () => undefined)).toThrow('task 2 is waited for by 3 and 4');
  });

  it('sleepers that are due together run in the order in which they fell asleep', () => {
    const order: number[] = [];
    drive(
      function* () {
        for (const n of [1, 2, 3]) {
          yield* fork(
            (function* () {
              yield* sleep(5);
              order.push(n);
            })(),
          );
        }
      },
      () => undefined,
    );
    expect(order).toEqual([1, 2, 3]);
  });
});

describe('the world', () => {
  it('has one stream for each name, drawn from its seed', () => {
    const world = new SeededWorld({ hi: 0, lo: 1 });
    const stream = world.choices('net/1>2');
    const prng = Prng.derive({ hi: 0, lo: 1 }, 'net/1>2');
    expect([stream.choose('a', 9), stream.happens('b', 0x8000_0000), stream.exponential('c', 1000)]).toEqual([
      prng.below(9),
      prng.happens(0x8000_0000),
      prng.exponential(1000),
    ]);
    expect(world.choices('net/1>2')).toBe(stream);
  });

  it('that is tame answers 0, no and 0', () => {
    const stream = TAME_WORLD.choices('net/1>2');
    expect([stream.choose('a', 9), stream.happens('b', 0xffff_ffff), stream.exponential('c', 1000)]).toEqual([
      0,
      false,
      0,
    ]);
  });
});

describe('errors', () => {
  it.each([
    [['/cluster/@name', 'x', 'a name', { line: 3 }], 'line 3: /cluster/@name: found "x", expected a name'],
    [['a', 'x', 'y', { line: 3, column: 7 }], 'line 3, column 7: a: found "x", expected y'],
    [['a', 'x', 'y', { file: 'f.conf', line: 3 }], 'f.conf:3: a: found "x", expected y'],
    [['a', 'x', 'y', { file: 'f.conf', line: 3, column: 7 }], 'f.conf:3:7: a: found "x", expected y'],
    [['mtuBytes', '', '576 to 65535 bytes'], 'mtuBytes: found nothing, expected 576 to 65535 bytes'],
  ] as const)(
    'a refused configuration says where, what and what would be right',
    ([path, value, expected, place], text) => {
      const error = new ConfigError(path, value, expected, place);
      expect(error.message).toBe(text);
      expect(error).toMatchObject({ name: 'ConfigError', path, value, expected, place });
    },
  );

  it('a broken rule of our own stops the run', () => {
    expect(() => assert(true, 'fine')).not.toThrow();
    expect(() => assert(false, 'two holders')).toThrow(new AssertionError('two holders'));
    expect(() => assert(false, () => 'three holders')).toThrow(new AssertionError('three holders'));
  });
});

describe('the checker', () => {
  interface Counted extends Fact {
    readonly kind: 'count';
    readonly value: number;
  }
  const rising = defineInvariant<Counted>({
    id: 'T1',
    name: 'rising',
    statement: 'values rise',
    kinds: ['count'],
    start() {
      let last = -1;
      return {
        observe(fact, verdict) {
          if (fact.value <= last) verdict.violate(`${fact.value} after ${last}`, [fact.node]);
          last = fact.value;
        },
        end(_at, verdict) {
          verdict.count('ended', last);
        },
      };
    },
  });
  const fact = (seq: number, value: number): Counted & { node: number; life: number; seq: number; at: number } => ({
    kind: 'count',
    value,
    now: seq,
    at: seq,
    seq,
    node: 3,
    life: 1,
  });

  it('reports a violation with its invariant, instant and nodes', () => {
    const checker = new Checker([rising]);
    for (const [seq, value] of [1, 2, 2, 5].entries()) checker.observe(fact(seq, value));
    checker.end(9);
    expect(checker.violations).toEqual([{ invariant: 'T1', at: 2, nodes: [3], message: '2 after 2' }]);
    expect(checker.counts.get('ended')).toEqual({ times: 1, largest: 5 });
    expect(checker.wants('count')).toBe(true);
    expect(checker.wants('other')).toBe(false);
  });

  it('tells which rules have had nothing to judge', () => {
    const settled = { ...rising, id: 'T2', kinds: ['count', 'settled'], judges: ['settled'] };
    const checker = new Checker([rising, settled]);
    expect(checker.idle).toEqual(['T1', 'T2']);
    checker.observe(fact(0, 1));
    expect(checker.idle).toEqual(['T2']);
    checker.observe({ ...fact(1, 2), kind: 'settled' });
    expect(checker.idle).toEqual([]);
  });
});

describe('a guarded machine', () => {
  it('throws when it is stepped from its own emit, or backwards in time', () => {
    const machine = guarded<'go', 'out'>({
      step: (_now, _input, emit) => emit('out'),
      deadline: () => Infinity,
    });
    expect(() => machine.step(1, 'go', () => machine.step(1, 'go', () => {}))).toThrow('stepped again');
    expect(() => machine.step(0, 'go', () => {})).toThrow('backwards');
  });
});
