import { latin1 } from '@quorate/kernel';
import { masterLookup } from './directory.js';
import type { RejectReason } from './dlm-io.js';
import { Result } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { decodeStatusReply, NEED_SLOTS, type Rcom, RcomType, statusFlagsOf } from './rcom.js';
import { decodeLock } from './rcom-lock.js';
import {
  sendLockReply,
  sendLookupReply,
  sendNamesReply,
  sendRcomLock,
  sendRcomLookup,
  sendStatusReply,
} from './rcom-send.js';
import { recoverMasterCopy, setNewMaster } from './recover-locks.js';
import { RecoverStatus } from './recover-status.js';

// Recovery messages as they come in. Source: Linux fs/dlm/rcom.c; the functions keep their names.

/** Carries a recovery message out. Gives the reason if it is malformed, or of another time than now. */
export function receiveRcom(ls: Lockspace, from: number, rcom: Rcom): RejectReason | undefined {
  if (!isTimely(ls, rcom)) return 'stale-rcom';
  const reason = RECEIVE[rcom.type]!(ls, from, rcom);
  if (rcom.type >= RcomType.STATUS_REPLY && reason === undefined) tellReply(ls, from, rcom);
  return reason;
}

function tellReply({ host, name: lockspace }: Lockspace, from: number, { type, seqReply }: Rcom): void {
  host.observe?.({ kind: 'dlm.rcom-reply', now: host.now, lockspace, from, type, seqReply });
}

type Receive = (ls: Lockspace, from: number, rcom: Rcom) => RejectReason | undefined;

/**
 * By type. No switch: in a recovery each type comes in its turn, and an engine would make code for those that it has seen and throw
 * it away at the next one.
 */
const RECEIVE: Readonly<Record<number, Receive>> = {
  [RcomType.STATUS]: receiveStatus,
  [RcomType.NAMES]: receiveNames,
  [RcomType.LOOKUP]: receiveLookup,
  [RcomType.LOCK]: receiveLock,
  [RcomType.STATUS_REPLY]: receiveStatusReply,
  [RcomType.NAMES_REPLY]: receiveNamesReply,
  [RcomType.LOOKUP_REPLY]: receiveLookupReply,
  [RcomType.LOCK_REPLY]: receiveLockReply,
};

/** What arrives before its step or after its recovery is ignored; the sender asks again, or is behind itself. */
function isTimely(ls: Lockspace, { type, seqReply }: Rcom): boolean {
  if (ls.isRecoveryStopped && type !== RcomType.STATUS) return false;
  if (type >= RcomType.STATUS_REPLY && seqReply !== ls.recoverSeq) return false;
  if (type === RcomType.STATUS || type === RcomType.STATUS_REPLY) return true;
  if ((ls.recoverStatus & RecoverStatus.NODES) === 0) return false;
  if (type === RcomType.NAMES || type === RcomType.NAMES_REPLY) return true;
  if ((ls.recoverStatus & RecoverStatus.DIR) === 0) return false;
  // Differs from Linux, which takes locks and questions of an earlier recovery also when the present one is over.
  return type >= RcomType.STATUS_REPLY || (ls.recoverStatus & RecoverStatus.DONE) === 0 || ls.host.isStrict;
}

function receiveStatus(ls: Lockspace, from: number, rcom: Rcom): undefined {
  sendStatusReply(ls, from, rcom, (statusFlagsOf(rcom.body) & NEED_SLOTS) !== 0);
}

function receiveStatusReply(ls: Lockspace, _from: number, rcom: Rcom): RejectReason | undefined {
  if (rcom.id !== ls.rcomId) return 'stale-rcom';
  if (rcom.result === -Result.ESRCH) {
    ls.statusReply = { status: 0, config: undefined };
    return undefined;
  }
  const config = decodeStatusReply(rcom.body);
  if (config === undefined) return 'bad-rcom';
  ls.statusReply = { status: rcom.result, config };
  return undefined;
}

/** `dlm_copy_master_names`. */
function receiveNames(ls: Lockspace, from: number, rcom: Rcom): RejectReason | undefined {
  const names = ls.masterNames.get(from) ?? [];
  const last = rcom.bodyLength === 0 ? -1 : names.indexOf(latin1(rcom.body));
  if (rcom.bodyLength > 0 && last < 0) return 'unexpected';
  sendNamesReply(ls, from, rcom, names, last + 1);
  return undefined;
}

function receiveNamesReply(ls: Lockspace, _from: number, rcom: Rcom): RejectReason | undefined {
  if (rcom.id !== ls.rcomId) return 'stale-rcom';
  ls.namesReply = rcom.body.slice();
  return undefined;
}

function receiveLookup(ls: Lockspace, from: number, rcom: Rcom): RejectReason | undefined {
  if (rcom.bodyLength > 64) return 'bad-rcom';
  if (ls.isNodir) return 'unexpected';
  const name = ls.host.incomingName.turnTo(rcom.bytes, rcom.bodyAt, rcom.end);
  const master = masterLookup(ls, from, name, 'recover-master');
  sendLookupReply(ls, from, rcom, master < 0 ? -Result.EINVAL : master);
  return undefined;
}

/** `dlm_recover_master_reply`. */
function receiveLookupReply(ls: Lockspace, _from: number, rcom: Rcom): RejectReason | undefined {
  const r = ls.recoverLookups.get(rcom.id);
  if (r === undefined) return 'stale-rcom';
  if (!ls.isMember(rcom.result)) {
    sendRcomLookup(ls, r.dirNodeid, r.name, rcom.id);
    return 'unexpected';
  }
  ls.recoverLookups.remove(rcom.id);
  ls.setMaster(r, rcom.result);
  setNewMaster(ls, r);
  return undefined;
}

function receiveLock(ls: Lockspace, from: number, rcom: Rcom): RejectReason | undefined {
  const rl = ls.host.rcomLock;
  if (!decodeLock(rcom, rl)) return 'bad-rcom';
  if (!ls.isMember(from)) return 'non-member';
  const result = recoverMasterCopy(ls, from, rcom, rl);
  sendLockReply(ls, from, rcom, rl.remid, result);
  return undefined;
}

/** `dlm_recover_process_copy`. */
function receiveLockReply(ls: Lockspace, _from: number, rcom: Rcom): RejectReason | undefined {
  const rl = ls.host.rcomLock;
  if (!decodeLock(rcom, rl)) return 'bad-rcom';
  const lkb = ls.lkbs.get(rl.lkid);
  if (lkb === undefined || !lkb.isProcessCopy) return 'unknown-lock';
  const r = lkb.resource;
  switch (-rl.result) {
    case Result.EBADR:
      // The new master had not learnt yet that it is one.
      sendRcomLock(ls, lkb);
      return undefined;
    case 0:
    case Result.EEXIST:
      lkb.remid = rl.remid;
      break;
  }
  if (r.recoverLocksCount === 0) return 'unexpected';
  r.recoverLocksCount -= 1;
  ls.recoverLocksOut -= 1;
  return undefined;
}
