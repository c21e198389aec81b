import { isErrno, type Os, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import {
  type NodePortal,
  type NodeRecord,
  newRecord,
  parseRecord,
  parseSettings,
  portalOf,
  recordFile,
} from './node-record.js';

/**
 * The databases of iscsiadm on the root disk, as RHEL has them: a node record is `/var/lib/iscsi/nodes/IQN/ADDRESS,PORT,TPGT/default`,
 * a discovery record `/var/lib/iscsi/send_targets/ADDRESS,PORT/st_config`.
 */
const NODES = '/var/lib/iscsi/nodes';
const DISCOVERIES = '/var/lib/iscsi/send_targets';
const CONFIGURATION = '/etc/iscsi/iscsid.conf';
const INITIATOR_NAME = '/etc/iscsi/initiatorname.iscsi';

/**
 * Path and content of the file that a discovery leaves for a portal: for a root disk of a machine whose administrator has made it.
 *
 * `configuration` is the text of its /etc/iscsi/iscsid.conf.
 */
export function iscsiRecord(
  portal: NodePortal,
  configuration: string,
): { readonly path: string; readonly text: string } {
  const record = newRecord(portal, parseSettings(configuration));
  return { path: `${directoryOf(portal)}/default`, text: recordFile(record) };
}

/** All node records, by the names of their targets and then by their portals. */
export function* readRecords(os: Os): Task<readonly NodeRecord[]> {
  const records: NodeRecord[] = [];
  for (const target of yield* namesIn(os, NODES)) {
    for (const portal of yield* namesIn(os, `${NODES}/${target}`)) {
      const text = yield* textOf(os, `${NODES}/${target}/${portal}/default`);
      const record = text === undefined ? undefined : parseRecord(text);
      if (record !== undefined) records.push(record);
    }
  }
  return records;
}

/** Writes a record, over one of the same portal. */
export function* writeRecord(os: Os, record: NodeRecord): Task {
  const directory = directoryOf(portalOf(record));
  yield* makeDirectories(os, directory);
  yield* os.writeFile(`${directory}/default`, utf8Bytes(recordFile(record)));
}

export function* deleteRecord(os: Os, record: NodeRecord): Task {
  const portal = portalOf(record);
  const directory = directoryOf(portal);
  yield* os.remove(`${directory}/default`);
  yield* os.removeDirectory(directory);
  // Stays while it has other portals.
  yield* os.removeDirectory(`${NODES}/${portal.target}`);
}

/** `ADDRESS:PORT` of the portals that were asked for their targets. */
export function* readDiscoveries(os: Os): Task<readonly string[]> {
  return (yield* namesIn(os, DISCOVERIES)).map((name) => name.replace(',', ':'));
}

export function* writeDiscovery(os: Os, address: string, port: number): Task {
  const directory = `${DISCOVERIES}/${address},${port}`;
  yield* makeDirectories(os, directory);
  const fields = `discovery.sendtargets.address = ${address}\ndiscovery.sendtargets.port = ${port}\n`;
  yield* os.writeFile(`${directory}/st_config`, utf8Bytes(`# BEGIN RECORD 2.1.8\n${fields}# END RECORD\n`));
}

/** What new records get in place of the defaults. */
export function* readConfiguration(os: Os): Task<ReadonlyMap<string, string>> {
  return parseSettings((yield* textOf(os, CONFIGURATION)) ?? '');
}

/** The machine's iSCSI name; undefined when its file does not say one. */
export function* readInitiatorName(os: Os): Task<string | undefined> {
  return parseSettings((yield* textOf(os, INITIATOR_NAME)) ?? '').get('InitiatorName');
}

/** Whether the package is installed that has all this. */
export function* hasInitiator(os: Os): Task<boolean> {
  return !isErrno(yield* os.stat(INITIATOR_NAME));
}

function directoryOf({ target, address, port, tpgt }: NodePortal): string {
  return `${NODES}/${target}/${address},${port},${tpgt}`;
}

function* namesIn(os: Os, directory: string): Task<readonly string[]> {
  const names = yield* os.list(directory);
  return isErrno(names) ? [] : names;
}

function* textOf(os: Os, path: string): Task<string | undefined> {
  const bytes = yield* os.readFile(path);
  return isErrno(bytes) ? undefined : utf8Text(bytes);
}

function* makeDirectories(os: Os, path: string): Task {
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1))
    yield* os.makeDirectory(path.slice(0, at));
  yield* os.makeDirectory(path);
}
