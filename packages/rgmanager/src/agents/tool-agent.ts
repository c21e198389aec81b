import type { Program, Task } from '@quorate/kernel';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

/** Exit status of a shell for a program that does not exist. */
const NO_SUCH_PROGRAM = 127;

/** An agent that does its work with a tool of its vendor, which a machine has or not. */
export interface ToolAgent {
  readonly type: string;
  /** Parameters that must have a value. */
  readonly required: readonly string[];
  /** What the tool is to do; its exit status 0 is success. */
  readonly start: (call: AgentCall) => readonly string[];
  readonly stop: (call: AgentCall) => readonly string[];
  readonly status: (call: AgentCall) => readonly string[];
  /** Exit code for what the tool says of the status; by default 0, or 1 where it fails. */
  readonly statusExit?: (status: number, output: string) => number;
}

/**
 * An agent of that kind. No node has such a tool by itself: without one every action ends with 5, program not installed, and says so. A
 * tool that is handed in under its name is used.
 *
 * A start of what runs, and a stop of what does not, succeed.
 */
export function toolAgent(agent: ToolAgent): Program {
  const act = (what: 'start' | 'stop') =>
    function* (call: AgentCall): Task<number> {
      const refused = validate(agent, call);
      if (refused !== AgentExit.SUCCESS) return refused;
      const before = yield* status(agent, call);
      if (before === AgentExit.INSTALLED) return before;
      if ((before === AgentExit.SUCCESS) === (what === 'start')) {
        call.log('debug', `${call.instance} is ${what === 'start' ? 'already running' : 'not running'}`);
        return AgentExit.SUCCESS;
      }
      call.log('info', `${what === 'start' ? 'Starting' : 'Stopping'} ${call.instance}`);
      const { exit, output } = yield* run(call, agent[what](call));
      if (exit === 0) return AgentExit.SUCCESS;
      call.log('err', `${what} of ${call.instance} failed: ${output.trim()}`);
      return exit === AgentExit.INSTALLED ? exit : AgentExit.GENERIC;
    };
  return resourceAgent(agent.type, {
    start: act('start'),
    stop: act('stop'),
    *status(call) {
      const refused = validate(agent, call);
      return refused === AgentExit.SUCCESS ? yield* status(agent, call) : refused;
    },
    *validate(call) {
      return validate(agent, call);
    },
    others: {
      *'verify-all'(call) {
        return validate(agent, call);
      },
    },
  });
}

function validate({ required }: ToolAgent, call: AgentCall): number {
  const missing = required.find((name) => call.parameter(name) === '');
  if (missing === undefined) return AgentExit.SUCCESS;
  call.log('err', `Validation of ${call.instance} failed: no ${missing} specified`);
  return AgentExit.ARGUMENTS;
}

function* status(agent: ToolAgent, call: AgentCall): Task<number> {
  const { exit, output } = yield* run(call, agent.status(call));
  if (exit === AgentExit.INSTALLED) return exit;
  return agent.statusExit?.(exit, output) ?? (exit === 0 ? AgentExit.SUCCESS : AgentExit.GENERIC);
}

function* run(call: AgentCall, argv: readonly string[]): Task<{ readonly exit: number; readonly output: string }> {
  const { status: exit, output, errors } = yield* call.os.run(argv);
  if (exit !== NO_SUCH_PROGRAM) return { exit, output: output + errors };
  call.log('err', `${call.instance}: there is no ${argv[0]} on this machine`);
  return { exit: AgentExit.INSTALLED, output: '' };
}
