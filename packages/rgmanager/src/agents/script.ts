import type { Program } from '@quorate/kernel';
import { AgentCall, AgentExit, printMetadata } from './resource-agent.js';

/** Exit status of a shell for a program that does not exist. */
const NO_SUCH_PROGRAM = 127;

/**
 * script.sh: hands its action on to an init script.
 *
 * Whatever the script does not succeed at is exit code 1, a status of something stopped (3 by the LSB) as well.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/script.sh.
 */
export const script: Program = function* script(argv, os) {
  const action = argv[1] ?? '';
  if (action === 'meta-data') return printMetadata('script', os);
  if (action === 'validate-all') return AgentExit.SUCCESS;
  const call = new AgentCall('script', os);
  const file = call.parameter('file');
  if (file === '') return AgentExit.ARGUMENTS;
  call.log('info', `Executing ${file} ${action}`);
  const { status, output, errors } = yield* os.run([file, action], { environment: os.environment });
  os.print(output);
  os.printError(errors);
  if (status === 0) return AgentExit.SUCCESS;
  // Differs from script.sh, which looks for the file first: programs of a node need not be files.
  if (status === NO_SUCH_PROGRAM) return AgentExit.INSTALLED;
  call.log('err', `script:${call.parameter('name')}: ${action} of ${file} failed (returned ${status})`);
  return AgentExit.GENERIC;
};
