import type { ReportOptions } from '@quorate/volumes';

/** Command line of `vgs` or `lvs`. */
export interface ReportCommand extends ReportOptions {
  /** Groups, or volumes as `GROUP/VOLUME`. */
  readonly names: readonly string[];
  readonly sort: string | undefined;
  /** Without clvmd's locks: `--config 'global{locking_type=0}'`. */
  readonly isUnlocked: boolean;
}

const VALUED = new Map([
  ['-o', 'options'],
  ['--options', 'options'],
  ['--separator', 'separator'],
  ['-O', 'sort'],
  ['--sort', 'sort'],
  ['--config', 'config'],
]);

/** Undefined for an option that is not served here. */
export function parseReportCommand(args: readonly string[]): ReportCommand | undefined {
  const values = new Map<string, string>();
  const names: string[] = [];
  let hasHeadings = true;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const valued = VALUED.get(arg);
    if (arg === '--noheadings') hasHeadings = false;
    else if (valued !== undefined) values.set(valued, args[++i] ?? '');
    else if (arg.startsWith('-')) return undefined;
    else names.push(arg.replace(/^\/dev\//, ''));
  }
  const fields = values.get('options')?.split(',');
  const separator = values.get('separator');
  return {
    names,
    hasHeadings,
    sort: values.get('sort'),
    isUnlocked: /locking_type *= *0\b/.test(values.get('config') ?? ''),
    ...(fields !== undefined && { fields }),
    ...(separator !== undefined && { separator }),
  };
}
