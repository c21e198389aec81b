import type { Program } from '@quorate/kernel';
import { findValue, formatValue } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { FAILED, MISUSED } from './groups.js';

/** `lvm COMMAND…`: runs that command; `lvm dumpconfig SECTION/KEY` says what lvm.conf has there. */
export function lvm(storage: Storage): Program {
  return function* ([, command, ...words], os) {
    if (command === undefined) {
      os.printError('  lvm: expected a command\n');
      return MISUSED;
    }
    if (command !== 'dumpconfig') {
      const { status, output, errors } = yield* os.run([command, ...words], { environment: os.environment });
      os.print(output);
      os.printError(errors);
      return status;
    }
    const [path = ''] = words;
    const value = findValue(storage.configuration(), path);
    if (value === undefined) {
      os.printError(`  Configuration node ${path} not found\n`);
      return FAILED;
    }
    os.print(`${path.slice(path.lastIndexOf('/') + 1)}=${formatValue(value)}\n`);
    return 0;
  };
}
