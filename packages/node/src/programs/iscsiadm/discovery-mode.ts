import type { DiscoveredTarget } from '@quorate/iscsi';
import type { Os, Task } from '@quorate/kernel';
import { IscsiError, iscsiErrorText } from '../../os/iscsi/iscsi-error.js';
import { resolveHost } from '../hosts.js';
import type { CommandOptions } from './command-options.js';
import { misused, nothing } from './complaints.js';
import { sendTargets } from './discovery.js';
import { logIn } from './login.js';
import { type NodePortal, type NodeRecord, newRecord, recordLine } from './node-record.js';
import { type Portal, parsePortal } from './portal.js';
import {
  deleteRecord,
  readConfiguration,
  readDiscoveries,
  readInitiatorName,
  readRecords,
  writeDiscovery,
  writeRecord,
} from './record-store.js';

/** No slash: it names a directory. */
const ISCSI_NAME = /^(?:iqn|eui|naa)\.[^\s/]{1,219}$/;

/** `iscsiadm -m discovery [-t sendtargets -p PORTAL [-l]]`: asks a portal, or lists those that were asked. */
export function* discoveryMode(os: Os, given: CommandOptions['given']): Task<number> {
  const type = given.get('t');
  if (type === undefined) {
    const portals = yield* readDiscoveries(os);
    for (const portal of portals) os.print(`${portal} via sendtargets\n`);
    return portals.length > 0 ? IscsiError.success : IscsiError.nothingFound;
  }
  if (type !== 'sendtargets' && type !== 'st')
    return misused(os, `only SendTargets discovery is served here, found ${type}`);
  const portal = parsePortal(given.get('p') ?? '');
  if (portal === undefined) return misused(os, 'Please specify portal as <ipaddr>[:<ipport>]');
  const records = yield* discover(os, portal);
  if (typeof records === 'number') {
    if (records !== IscsiError.nothingFound) {
      os.printError(`iscsiadm: Could not perform SendTargets discovery: ${iscsiErrorText(records)}\n`);
    }
    return records;
  }
  for (const record of records) os.print(recordLine(record));
  return given.has('l') ? yield* logIn(os, records) : IscsiError.success;
}

/** Asks a portal, and makes its targets the records that came from there: others that did are gone. */
function* discover(os: Os, { address, port }: Portal): Task<readonly NodeRecord[] | number> {
  const initiator = yield* readInitiatorName(os);
  if (initiator === undefined) {
    os.printError('iscsiadm: Cannot perform discovery. Initiatorname required.\n');
    return IscsiError.invalid;
  }
  const host = yield* resolveHost(os, address);
  if (host === undefined) {
    os.printError(`iscsiadm: cannot resolve host name ${address}\n`);
    return IscsiError.transport;
  }
  yield* writeDiscovery(os, address, port);
  const targets = yield* sendTargets(os, initiator, host, port);
  if (typeof targets === 'number') return targets;
  const configuration = yield* readConfiguration(os);
  const found = portalsOf(targets).map((portal) => {
    const record = new Map(newRecord(portal, configuration));
    record.set('node.discovery_address', address);
    record.set('node.discovery_port', `${port}`);
    record.set('node.discovery_type', 'send_targets');
    return record;
  });
  if (found.length === 0) return nothing(os, 'No portals found');
  for (const record of yield* readRecords(os)) {
    const isFromThere =
      record.get('node.discovery_address') === address && record.get('node.discovery_port') === `${port}`;
    if (isFromThere) yield* deleteRecord(os, record);
  }
  for (const record of found) yield* writeRecord(os, record);
  return found;
}

/** What a target tells is its own affair: names that are none, and addresses that are not IPv4, are left out. */
function portalsOf(targets: readonly DiscoveredTarget[]): readonly NodePortal[] {
  return targets
    .filter(({ name }) => ISCSI_NAME.test(name))
    .flatMap(({ name: target, addresses }) =>
      addresses.flatMap((text) => {
        const portal = parsePortal(text);
        return portal === undefined ? [] : [{ target, ...portal, tpgt: portal.tpgt ?? 1 }];
      }),
    );
}
