import type { AgentRun, FenceOperation } from '../libfence.js';
import { type AgentEnd, type RunAgentOptions, runAgent } from './run-agent.js';

export interface CarryOutOptions extends RunAgentOptions {
  /** Hears how each agent ended. */
  readonly onAgent?: (run: AgentRun, end: AgentEnd) => void;
}

/** Carries out `fenceNode`, `unfenceNode` or `fenceNodeStatus` with the agents of this machine, one after the other. */
export async function carryOut<Result>(
  operation: FenceOperation<Result>,
  options: CarryOutOptions = {},
): Promise<Result> {
  let step = operation.next(0);
  while (step.done !== true) {
    const end = await runAgent(step.value, options);
    options.onAgent?.(step.value, end);
    step = operation.next(end.status);
  }
  return step.value;
}
