import { isErrno, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { makeDirectories } from './make-directories.js';
import type { AgentCall } from './resource-agent.js';
import { sha1 } from './sha1.js';

const CONF_DIRECTORY = '/etc/cluster';

/** Begins the last line of a generated file, with the checksum of all others. */
const CHECKSUM_MARK = '# rgmanager-sha1';

/** Where an agent generates configurations for its daemon: `/etc/cluster/apache/apache:NAME`. */
export function confDirectoryOf(call: AgentCall): string {
  return `${CONF_DIRECTORY}/${call.type}/${call.instance}`;
}

/** A text with a head that says what it is, and with its checksum at the end, in comments of XML if told. */
export function generatedText(path: string, originalPath: string, body: string, isXml = false): string {
  const comment = (line: string): string => (isXml ? `<!-- ${line} -->` : `# ${line}`);
  const text = [
    comment(`"${path}" was made from "${originalPath}" and is made anew at every start of its service.`),
    comment('A change of this file ends that. Such a file is to be copied to every member of the cluster.'),
    body,
  ].join('\n');
  const mark = `${CHECKSUM_MARK} ${sha1(utf8Bytes(text))} ${path}`;
  return `${text}${isXml ? `<!--${mark}-->` : mark}\n`;
}

/** Whether somebody has edited a generated file: its checksum is another now. */
export function isEdited(text: string): boolean {
  const lines = text.replace(/\n$/, '').split('\n');
  const [, recorded] = (lines.at(-1) ?? '').split(`${CHECKSUM_MARK} `);
  const others = lines.filter((line) => !line.includes(CHECKSUM_MARK));
  return recorded?.split(' ', 1)[0] !== sha1(utf8Bytes(`${others.join('\n')}\n`));
}

/** What is to be generated. */
export interface GeneratedFile {
  readonly path: string;
  readonly originalPath: string;
  /** What the service makes of the original, without head and checksum; ends a line. */
  bodyOf(original: string): string;
  readonly isXml?: boolean;
}

/** Makes a configuration of the administrator's, unless there is one that somebody has edited since: that is used as it is. */
export function* writeGeneratedFile(
  call: AgentCall,
  { path, originalPath, bodyOf, isXml }: GeneratedFile,
): Task<boolean> {
  const { os, instance } = call;
  yield* makeDirectories(os, path.slice(0, path.lastIndexOf('/')));
  if (yield* keepsFile(call, path)) return true;
  const original = yield* os.readFile(originalPath);
  if (isErrno(original)) return false;
  call.log('debug', `Generating New Config File ${path} From ${originalPath}`);
  const text = generatedText(path, originalPath, bodyOf(utf8Text(original)), isXml);
  if (isErrno(yield* os.writeFile(path, utf8Bytes(text)))) {
    call.log('err', `Generating New Config File ${path} From ${originalPath} [${instance}] > Failed`);
    return false;
  }
  call.log('debug', `Generating New Config File ${path} From ${originalPath} > Succeed`);
  return true;
}

function* keepsFile(call: AgentCall, path: string): Task<boolean> {
  const generated = yield* call.os.readFile(path);
  if (isErrno(generated)) return false;
  call.log('debug', `Checking: SHA1 checksum of config file ${path}`);
  const isKept = isEdited(utf8Text(generated));
  call.log('debug', `Checking: SHA1 checksum > ${isKept ? 'failed - file changed' : 'succeed'}`);
  if (isKept) call.log('debug', 'Checking SHA1 Checksum Of File > Failed - File Changed');
  return isKept;
}

/** Lines of the original that the service has its own for stay as comments. */
export function commentedOut(original: string, pattern: RegExp): string {
  const lines = original.replace(/\n$/, '').split('\n');
  return `${lines.map((line) => line.replace(pattern, '### $1')).join('\n')}\n`;
}
