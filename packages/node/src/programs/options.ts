/** Short options of a command line, as `getopt` reads them. */
export interface ShortOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  /** `invalid option -- 'x'`, or undefined. */
  readonly error: string | undefined;
  /** A numeric value, or `otherwise` when the option is absent or not a number. */
  number(option: string, otherwise: number): number;
}

/** Reads options that may be joined (`-qc3`) or apart (`-c 3`); what is no option is an operand, in any place. */
export function parseOptions(
  args: readonly string[],
  known: { readonly flags: string; readonly values: string },
): ShortOptions {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const operands: string[] = [];
  let error: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg);
      continue;
    }
    for (let k = 1; k < arg.length; k++) {
      const letter = arg[k]!;
      if (known.values.includes(letter)) {
        const rest = arg.slice(k + 1);
        const value = rest !== '' ? rest : args[i + 1];
        if (rest === '') i += 1;
        if (value === undefined) error ??= `option requires an argument -- '${letter}'`;
        else values.set(letter, value);
        break;
      }
      if (known.flags.includes(letter)) flags.add(letter);
      else error ??= `invalid option -- '${letter}'`;
    }
  }
  return {
    flags,
    values,
    operands,
    error,
    number: (option, otherwise) => {
      const value = values.get(option);
      const number = value === undefined ? Number.NaN : Number(value);
      return Number.isFinite(number) ? number : otherwise;
    },
  };
}
