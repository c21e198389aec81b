import type { Os } from '@quorate/kernel';
import { IscsiError } from '../../os/iscsi/iscsi-error.js';

export const SEE_HELP = "Try `iscsiadm --help' for more information.\n";

/** A command line that is none. Gives the exit code. */
export function misused(os: Os, complaint: string): number {
  os.printError(`iscsiadm: ${complaint}\n`);
  return IscsiError.invalid;
}

/** There is nothing of what was asked for. Gives the exit code. */
export function nothing(os: Os, complaint: string): number {
  os.printError(`iscsiadm: ${complaint}\n`);
  return IscsiError.nothingFound;
}
