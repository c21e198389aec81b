import { utf8Bytes } from '@quorate/kernel';
import { sha1 } from './sha1.js';

/** Begins the last line of a generated file, with the checksum of all others. */
const CHECKSUM_MARK = '# rgmanager-sha1';

/** Where a generated configuration comes from, and what of it is the service's. */
export interface HttpdConfSource {
  /** Name of the generated file. */
  readonly path: string;
  readonly originalPath: string;
  readonly original: string;
  readonly addresses: readonly string[];
  readonly pidFile: string;
}

/**
 * The administrator's httpd.conf with `Listen` lines for the addresses of the service, on the ports of the original, and
 * with rgmanager's `PidFile`; the original's own lines for these stay in it as comments.
 *
 * Simplified: `<IfDefine>` and `Include` are not evaluated.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/apache.sh, `generate_configFile`.
 */
export function generateHttpdConf({ path, originalPath, original, addresses, pidFile }: HttpdConfSource): string {
  const lines = original.replace(/\n$/, '').split('\n');
  const listen = portsOf(lines).flatMap((port) => addresses.map((address) => `Listen ${address}:${port}`));
  const text = [
    `# "${path}" was made from "${originalPath}" and is made anew at every start of its service.`,
    '# A change of this file ends that. Such a file is to be copied to every member of the cluster.',
    '#',
    ...listen,
    `PidFile "${pidFile}"`,
    '',
    ...lines.map((line) => line.replace(/^(Listen|Port|PidFile)\b/, '### $1')),
    '',
  ].join('\n');
  return `${text}${CHECKSUM_MARK} ${sha1(utf8Bytes(text))} ${path}\n`;
}

/** Whether somebody has edited a generated file: its checksum is another now. */
export function isEdited(text: string): boolean {
  const lines = text.replace(/\n$/, '').split('\n');
  const [, recorded] = (lines.at(-1) ?? '').split(`${CHECKSUM_MARK} `);
  const others = lines.filter((line) => !line.includes(CHECKSUM_MARK));
  return recorded?.split(' ', 1)[0] !== sha1(utf8Bytes(`${others.join('\n')}\n`));
}

function portsOf(lines: readonly string[]): readonly string[] {
  const values = lines.map((line) => /^(?:Listen|Port)\s+(\S+)/.exec(line)?.[1]);
  return values.filter((value) => value !== undefined).map((value) => value.slice(value.lastIndexOf(':') + 1));
}
