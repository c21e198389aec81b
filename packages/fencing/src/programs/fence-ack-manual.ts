import { type Program, SECOND } from '@quorate/kernel';
import { callFenced } from './fenced-call.js';

/**
 * fence_ack_manual: an administrator tells fenced that a node is dead, after fencing it has failed.
 *
 * Waits until fenced listens, which it does for some seconds after every failed attempt. Source: cluster.git
 * fence/agents/manual/fence_ack_manual.
 */
export const fenceAckManual: Program = function* fenceAckManual(argv, os) {
  const args = argv[1] === '-n' ? argv.slice(2) : argv.slice(1);
  const [name] = args;
  if (name === undefined || name === '' || name === '-h') {
    os.print('usage:\n \tfence_ack_manual <nodename>\n \tfence_ack_manual -n <nodename>\n');
    return 1;
  }
  os.print(`About to override fencing for ${name}.\n`);
  os.print('Improper use of this command can cause severe file system damage.\n\n');
  os.print('Continue [NO/absolutely]? ');
  if (os.input.split('\n')[0] !== 'absolutely') {
    os.print('Aborted.\n');
    return 1;
  }
  while ((yield* callFenced(os, { kind: 'override', node: name })) !== true) yield* os.sleep(SECOND);
  os.print('Done\n');
  return 0;
};
