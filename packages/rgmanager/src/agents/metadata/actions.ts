import type { AgentMetadata, AgentParameter } from '../../conf/agent-metadata.js';

type Actions = AgentMetadata['actions'];

export const PRIMARY_NAME: AgentParameter = { name: 'name', isPrimary: true };

/** What an agent calls its service by. */
export const SERVICE_NAME: AgentParameter = { name: 'service_name', inherit: 'service%name' };

/** Parameters of which nothing is said but their names. */
export function parameters(...names: readonly string[]): readonly AgentParameter[] {
  return names.map((name) => ({ name }));
}

/** Parameters with a default. */
export function defaults(values: Readonly<Record<string, string>>): readonly AgentParameter[] {
  return Object.entries(values).map(([name, value]) => ({ name, default: value }));
}

/** `start` and `stop` with their timeouts. */
export function startStop(start: string, stop: string): Actions {
  return [
    { name: 'start', timeout: start },
    { name: 'stop', timeout: stop },
  ];
}

/** `status` and `monitor` are declared alike. */
export function checks(...each: readonly { depth?: number; interval: string; timeout: string }[]): Actions {
  return each.flatMap((check) => [
    { name: 'status', ...check },
    { name: 'monitor', ...check },
  ]);
}

export function others(timeout: string): Actions {
  return [
    { name: 'meta-data', timeout },
    { name: 'validate-all', timeout },
  ];
}

/** What agents of applications have: no limit for starting and stopping, a look each minute and a closer one each five. */
export const APPLICATION_ACTIONS: Actions = [
  ...startStop('0', '0'),
  ...checks({ interval: '1m', timeout: '10' }, { depth: 10, interval: '5m', timeout: '30' }),
  ...others('0'),
];
