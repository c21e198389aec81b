import { commentedOut } from './generated-file.js';

/**
 * The administrator's httpd.conf with `Listen` lines for the addresses of the service, on the ports of the original, and
 * with rgmanager's `PidFile`; the original's own lines for these stay in it as comments.
 *
 * Simplified: `<IfDefine>` and `Include` are not evaluated.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/apache.sh, `generate_configFile`.
 */
export function httpdConf(original: string, addresses: readonly string[], pidFile: string): string {
  const ports = portsOf(original.split('\n'));
  const listen = ports.flatMap((port) => addresses.map((address) => `Listen ${address}:${port}`));
  const own = commentedOut(original, /^(Listen|Port|PidFile)\b/);
  return ['#', ...listen, `PidFile "${pidFile}"`, '', own].join('\n');
}

function portsOf(lines: readonly string[]): readonly string[] {
  const values = lines.map((line) => /^(?:Listen|Port)\s+(\S+)/.exec(line)?.[1]);
  return values.filter((value) => value !== undefined).map((value) => value.slice(value.lastIndexOf(':') + 1));
}
