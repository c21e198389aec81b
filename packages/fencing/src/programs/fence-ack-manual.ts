import { type Program, SECOND } from '@quorate/kernel';
import { callFenced } from './fenced-call.js';

/**
 * fence_ack_manual: an administrator tells fenced that a node is dead, after fencing it has failed.
 *
 * Waits until fenced listens, which it does for some seconds after every failed attempt; whom it listens for is not asked,
 * so the name of another node is taken, and changes nothing. The question goes to standard error, as bash's `read -p` has it.
 *
 * Source: fence-agents RHEL6 fence/agents/manual/fence_ack_manual.in.
 */
export const fenceAckManual: Program = function* fenceAckManual(argv, os) {
  const [self = ''] = argv;
  const name = argv[1] === '-n' ? argv[2] : argv[1];
  if (name === undefined || name === '' || name.startsWith('-')) {
    os.print(`usage:\n \t${self} <nodename>\n \t${self} -n <nodename>\n\n`);
    os.print('The -n flag exists to preserve compatibility with previous \n');
    os.print(`releases of ${self}, and is no longer required.\n`);
    return 1;
  }
  os.print(`About to override fencing for ${name}.\n`);
  os.print('Improper use of this command can cause severe file system damage.\n\n');
  os.printError('Continue [NO/absolutely]? ');
  if (os.input.split('\n')[0]!.trim() !== 'absolutely') {
    os.print('Aborted.\n');
    return 1;
  }
  while ((yield* callFenced(os, { kind: 'override', node: name })) !== true) yield* os.sleep(SECOND);
  os.print('Done\n');
  return 0;
};
