import { Opcode } from '../opcode.js';
import { setRange } from './block-range.js';
import { type Command, family } from './command.js';
import { NO_TRANSFER } from './transfer.js';

/** When GOOD is sent for a write the store has it. So a flush has only the store to push. */
export const SYNCHRONIZE_CACHE: readonly Command[] = family(
  {
    service: 'flush',
    transfer: NO_TRANSFER,
    needsMedium: true,
    validate: setRange,
    execute({ store }) {
      store.flush();
    },
  },
  [
    ['SYNCHRONIZE CACHE(10)', Opcode.synchronizeCache10, '35 06 ffffffff 1f ffff 00'],
    ['SYNCHRONIZE CACHE(16)', Opcode.synchronizeCache16, '91 06 ffffffffffffffff ffffffff 1f 00'],
  ],
);

/** There is nothing that a pre-fetch would speed up: a range of the unit is answered with GOOD. */
export const PRE_FETCH: readonly Command[] = family(
  { service: 'other', transfer: NO_TRANSFER, needsMedium: true, validate: setRange, execute() {} },
  [
    ['PRE-FETCH(10)', Opcode.preFetch10, '34 02 ffffffff 1f ffff 00'],
    ['PRE-FETCH(16)', Opcode.preFetch16, '90 02 ffffffffffffffff ffffffff 1f 00'],
  ],
);
