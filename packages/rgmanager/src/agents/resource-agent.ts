import { type LogPriority, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { installedAgents } from './agent-metadata.js';
import { metadataText } from './metadata-text.js';

/** How an agent ends: the exit codes of the Open Cluster Framework. */
export const AgentExit = {
  SUCCESS: 0,
  GENERIC: 1,
  ARGUMENTS: 2,
  UNIMPLEMENTED: 3,
  INSTALLED: 5,
  CONFIGURED: 6,
  NOT_RUNNING: 7,
} as const;

/**
 * One run of an agent: what rgmanager tells it through its environment, and its line to the log.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/ocf-shellfuncs.
 */
export class AgentCall {
  readonly os: Os;
  /** Type of the resource: `ip`. */
  readonly type: string;

  readonly #given: Readonly<Record<string, string>>;

  /** `given` are attributes that count before those of the resource. */
  constructor(type: string, os: Os, given: Readonly<Record<string, string>> = {}) {
    this.type = type;
    this.os = os;
    this.#given = given;
  }

  /** Value of an attribute of the resource; empty if it has none. */
  parameter(name: string): string {
    return this.#given[name] ?? this.os.environment[`OCF_RESKEY_${name}`] ?? '';
  }

  /** Whether an attribute that is off by default is switched on. */
  isOn(name: string): boolean {
    return ['yes', 'on', 'true', '1'].includes(this.parameter(name));
  }

  /** Type and name of the resource: `ip:10.156.76.58`. */
  get instance(): string {
    return this.os.environment.OCF_RESOURCE_INSTANCE ?? 'default';
  }

  /** How deep a status check goes: 0, 10 or 20. */
  get checkLevel(): number {
    return Number(this.os.environment.OCF_CHECK_LEVEL ?? '') || 0;
  }

  /** Logs under rgmanager's name, and shows the line to whoever runs the agent by hand. */
  log(priority: LogPriority, text: string): void {
    this.os.log(priority, 'rgmanager', `[${this.type}] ${text}`);
    this.os.print(`<${priority}> ${text}\n`);
  }

  sleepSec(seconds: number): Task {
    return this.os.sleep(seconds * SECOND);
  }
}

/** Gives the exit code. */
export type AgentAction = (call: AgentCall) => Task<number>;

/** What an agent does for each action; each gives the exit code. */
export interface AgentActions {
  start(call: AgentCall): Task<number>;
  stop(call: AgentCall): Task<number>;
  /** `status` and `monitor` alike. */
  status(call: AgentCall): Task<number>;
  /** `validate-all`. */
  validate(call: AgentCall): Task<number>;
  /** Actions that not every agent has, with the word behind the action; they count before the usual ones. */
  readonly others?: Readonly<Record<string, (call: AgentCall, argument: string) => Task<number>>>;
}

/** An action that wrong parameters refuse, with the exit code that `validate` has for them. */
export function whenValid(validate: AgentAction, act: AgentAction): AgentAction {
  return function* valid(call) {
    const refused = yield* validate(call);
    return refused === AgentExit.SUCCESS ? yield* act(call) : refused;
  };
}

/** A resource agent: a program that does one action, its first argument, on a resource that its environment describes. */
export function resourceAgent(type: string, actions: AgentActions): Program {
  return function* agent(argv, os) {
    const call = new AgentCall(type, os);
    const other = actions.others?.[argv[1] ?? ''];
    if (other !== undefined) return yield* other(call, argv[2] ?? '');
    switch (argv[1]) {
      case 'start':
        return yield* actions.start(call);
      case 'stop':
        return yield* actions.stop(call);
      case 'status':
      case 'monitor':
        return yield* actions.status(call);
      case 'restart':
        return (yield* actions.stop(call)) === 0 ? yield* actions.start(call) : AgentExit.GENERIC;
      case 'validate-all':
        return yield* actions.validate(call);
      case 'meta-data':
        return printMetadata(type, os);
      default:
        return usage(argv, os);
    }
  };
}

function usage([name = '']: readonly string[], os: Os): number {
  os.print(`usage: ${name} {start|stop|status|monitor|restart|meta-data|validate-all}\n`);
  return AgentExit.UNIMPLEMENTED;
}

/** The action `meta-data`. */
export function printMetadata(type: string, os: Os): number {
  const metadata = installedAgents.find((agent) => agent.metadata.name === type)?.metadata;
  if (metadata === undefined) return AgentExit.GENERIC;
  os.print(metadataText(metadata));
  return AgentExit.SUCCESS;
}
