import type { DeviceUse, FenceDevice } from './fence-conf.js';

/** `FENCE_AGENT_ARGS_MAX`, less the NUL at the end. */
const ARGUMENTS_MAX = 4096 - 1;

/**
 * What a fence agent reads from its standard input: one `key=value` per line.
 *
 * Order: the attributes of the node's device, `nodename=` unless that is among them, `action=status` where that is asked
 * for, then the attributes of the fence device. Undefined when it is longer than 4095 bytes.
 *
 * Source: cluster.git fence/libfence/agent.c, `make_args`, `make_args_status`. Whether a nodename is there is a search in
 * the text, so an attribute that merely ends in `nodename` counts.
 */
export function agentInput(
  victim: string,
  use: DeviceUse,
  device: FenceDevice,
  operation: 'fence' | 'status',
): string | undefined {
  const lines: string[] = [];
  for (const [key, value] of use.arguments) {
    if (operation === 'fence' || key !== 'action') lines.push(`${key}=${value}`);
  }
  if (!lines.some((line) => line.includes('nodename='))) lines.push(`nodename=${victim}`);
  if (operation === 'status') lines.push('action=status');
  for (const [key, value] of device.arguments) lines.push(`${key}=${value}`);
  const text = lines.map((line) => `${line}\n`).join('');
  return text.length < ARGUMENTS_MAX ? text : undefined;
}

/**
 * The options that an agent was given on its standard input. Lines that start with `#`, and lines without `=`, say nothing;
 * of a key that comes twice the last value counts.
 */
export function parseAgentInput(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    const equals = trimmed.indexOf('=');
    if (trimmed.startsWith('#') || equals < 1) continue;
    options.set(trimmed.slice(0, equals).trim(), trimmed.slice(equals + 1).trim());
  }
  return options;
}
