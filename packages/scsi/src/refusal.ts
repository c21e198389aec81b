import type { Sense } from './sense.js';
import type { Status } from './status.js';

/** Why a command is not carried out: RESERVATION CONFLICT, or CHECK CONDITION with sense data. */
export interface Refusal {
  readonly status: Status;
  readonly sense: Sense | undefined;
}
