import { readFileSync } from 'node:fs';
import { parseXml } from '@quorate/cluster-conf';
import { ConfigError } from '@quorate/kernel';
import { calculateQuorum } from '@quorate/quorum';
import type { ConfElement, Policy } from '@quorate/rgmanager';
import {
  formatPlan,
  readClusterState,
  simulate,
  type WhatIfEvent,
  type WhatIfOptions,
} from '@quorate/rgmanager/what-if';
import { Command, Option } from 'commander';
import type { CommandIo } from './command-io.js';
import { importEventScripts } from './event-scripts.js';
import { UsageError } from './usage-error.js';

const EVENTS =
  'down=NODE-ID, up=NODE-ID, standby=NODE-ID, unstandby=NODE-ID, fail=RESOURCE, or enable=, disable=, relocate=, restart=, freeze= SERVICE[@NODE-ID]';

const NODE_EVENTS = { down: 'node-down', up: 'node-up', standby: 'standby', unstandby: 'unstandby' } as const;

interface SimulateOptions {
  readonly json?: boolean;
  readonly coordinator?: boolean;
  readonly fenceFailedStop?: boolean;
  readonly parallel?: boolean;
  readonly enforceTimeouts?: boolean;
  readonly state?: string;
  readonly eventScript?: readonly string[];
}

const DEFAULT_EVENT_SCRIPT = '/usr/share/cluster/default_event_script.sl';

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `quorate rg`: what rgmanager would do. */
export function rgCommand({ stdout }: CommandIo): Command {
  const simulation = new Command('simulate')
    .description('what the rgmanagers of a cluster would do, one event after another; nothing is carried out')
    .argument('<cluster.conf>', 'the configuration; all its nodes are up at the start, unless --state says otherwise')
    .argument('[events...]', EVENTS)
    .option('--coordinator', 'the lowest node decides where services start')
    .option('--fence-failed-stop', 'a node that could not stop a service is fenced')
    .option('--parallel', 'resources of one level start and stop at the same time')
    .option('--enforce-timeouts', 'every agent is killed when its time is up')
    .option('--state <file>', 'what clustat -x printed: the cluster is found like that')
    .addOption(
      new Option('--event-script <file=module>', 'what runs for a file of <events>; may be given again').argParser(
        collect,
      ),
    )
    .option('--json', 'print the plan as JSON; times in nanoseconds')
    .action(async (path: string, events: readonly string[], options: SimulateOptions) => {
      const { json = false, state, eventScript = [], ...switches } = options;
      const eventScripts = await importEventScripts(eventScript);
      const plan = planFor(path, state, events.map(eventOf), {
        policy: policyOf(switches),
        quorum: calculateQuorum,
        eventScripts,
      });
      stdout.write(json ? `${JSON.stringify(plan)}\n` : formatPlan(plan));
    });
  return new Command('rg').description('rgmanager without a cluster').addCommand(simulation);
}

/** Only what is switched on here counts in place of what cluster.conf says. */
function policyOf({ coordinator, fenceFailedStop, parallel, enforceTimeouts }: SimulateOptions): Partial<Policy> {
  return {
    ...(coordinator && { hasCoordinator: true }),
    ...(fenceFailedStop && { fencesFailedStops: true }),
    ...(parallel && { isParallel: true }),
    ...(enforceTimeouts && { enforcesTimeouts: true }),
  };
}

function planFor(
  path: string,
  statePath: string | undefined,
  events: readonly WhatIfEvent[],
  options: WhatIfOptions,
): ReturnType<typeof simulate> {
  const conf = readXml(path);
  checkScripts(conf, options.eventScripts ?? new Map());
  const clustat = statePath === undefined ? undefined : readXml(statePath);
  try {
    const state = clustat && readClusterState(conf, clustat);
    return simulate(conf, events, { ...options, ...(state && { state }) });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** A script that nothing runs is a name that was mistyped. */
function checkScripts(conf: ConfElement, scripts: ReadonlyMap<string, unknown>): void {
  const events = conf.children.filter(({ name }) => name === 'rm').flatMap(({ children }) => children);
  const entries = events.filter(({ name }) => name === 'events').flatMap(({ children }) => children);
  const files = [DEFAULT_EVENT_SCRIPT, ...entries.flatMap(({ attributes }) => attributes.get('file') ?? [])];
  for (const file of scripts.keys()) {
    if (!files.includes(file)) throw new UsageError(`found a script for ${file}, expected ${files.join(' or ')}`);
  }
}

function readXml(path: string): ConfElement {
  try {
    return parseXml(readFileSync(path, 'utf8'), path).root;
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new UsageError(`cannot read ${path}: ${code}`);
  }
}

function eventOf(text: string): WhatIfEvent {
  const [, change, node] = /^(down|up|standby|unstandby)=(\d+)$/.exec(text) ?? [];
  if (change !== undefined) return { kind: NODE_EVENTS[change as keyof typeof NODE_EVENTS], node: Number(node) };
  const [, resource] = /^fail=(.+)$/.exec(text) ?? [];
  if (resource !== undefined) return { kind: 'resource-failed', resource };
  const service = /^(enable|disable|relocate|restart|freeze)=([^@]+)(?:@(\d+))?$/.exec(text);
  if (service === null) throw new UsageError(`found event "${text}", expected ${EVENTS}`);
  const name = service[2]!;
  return {
    kind: 'service',
    operation: service[1] as 'enable' | 'disable' | 'relocate' | 'restart' | 'freeze',
    service: name.includes(':') ? name : `service:${name}`,
    ...(service[3] !== undefined && { target: Number(service[3]) }),
  };
}
