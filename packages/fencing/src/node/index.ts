export { type CarryOutOptions, carryOut } from './carry-out.js';
export { type AgentEnd, type RunAgentOptions, runAgent } from './run-agent.js';
