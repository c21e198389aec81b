/** How a field is stored: `u` varint, `i` zigzag varint, `s` index of a string, `b` length and bytes, `d` double. */
export type FieldType = 'u' | 'i' | 's' | 'b' | 'd';

export interface RecordKind {
  /** 0..127 the driver's own, 128..255 a package's. */
  readonly id: number;
  readonly name: string;
  readonly fields: readonly (readonly [name: string, type: FieldType])[];
}

/** What a record can hold, by the type of its field. */
export type FieldValue = number | string | Uint8Array;

export type KindName =
  | 'options'
  | 'string'
  | 'nodeState'
  | 'nemesisStart'
  | 'nemesisEnd'
  | 'send'
  | 'receive'
  | 'drop'
  | 'link'
  | 'nic'
  | 'timer'
  | 'submit'
  | 'arrive'
  | 'done'
  | 'ioFault'
  | 'prChange'
  | 'log'
  | 'violation'
  | 'phase'
  | 'opOk'
  | 'opFail'
  | 'outage'
  | 'stateChange'
  | 'membership'
  | 'quorum'
  | 'lock'
  | 'service'
  | 'fence'
  | 'mount'
  | 'journal'
  | 'agent'
  | 'fact';

/**
 * The records of this version; a file's header lists them, so that a reader needs no table of its own.
 *
 * `cause` is the number of the event that this one follows from: the event in which the frame was sent, or the command
 * submitted or carried out. Truth is 1, lists are text with blanks between.
 */
export const KINDS: { readonly [name in KindName]: RecordKind } = {
  options: kind(0, 'options', 'text:s'),
  string: kind(1, 'string', 'text:b'),
  nodeState: kind(2, 'node.state', 'state:s life:u'),
  /** A fault begins, or ends. */
  nemesisStart: kind(3, 'nemesis.start', 'family:s text:s'),
  nemesisEnd: kind(4, 'nemesis.end', 'family:s text:s'),
  /** A copy of a frame is under way, from the NIC that is the record's node. `to` -1: to nobody. Payload with the first copy. */
  send: kind(8, 'net.send', 'id:u to:i bytes:u protocol:s payload:b'),
  /** It has arrived. */
  receive: kind(9, 'net.recv', 'id:u bytes:u cause:u payload:b'),
  /** It came to nothing. The record's node is the sender. */
  drop: kind(10, 'net.drop', 'id:u to:i reason:s'),
  /** A way from one NIC to another was `cut` or is `open`. */
  link: kind(13, 'net.link', 'from:u to:u state:s'),
  nic: kind(14, 'net.nic', 'state:s'),
  timer: kind(17, 'timer.fire', ''),
  /** `lba` and `blocks` are 0 for commands that do not read or write the medium. */
  submit: kind(20, 'io.submit', 'tag:u lun:u opcode:u lba:u blocks:u'),
  /** The command has reached the disks. */
  arrive: kind(21, 'io.arrive', 'tag:u opcode:u cause:u'),
  /** `sense` is `key/asc/ascq` in hex, or empty. */
  done: kind(22, 'io.done', 'tag:u status:u sense:s bytes:u cause:u'),
  /** A command ended without an answer. */
  ioFault: kind(23, 'io.fault', 'tag:u lun:u reason:s'),
  /** A persistent reservation changed: what was asked, and how the unit stands now. `holder` 0: none. */
  prChange: kind(24, 'pr.change', 'lun:u action:s key:s type:u holder:u registered:s'),
  log: kind(33, 'log', 'level:s tag:s text:s'),
  violation: kind(41, 'violation', 'id:s message:s'),
  /** A step of the scenario `begins` or `ends`; something it looked for was `observed` or `missed`. */
  phase: kind(43, 'phase', 'name:s what:s text:s'),
  /** A client's request ended well, or not; it began at `since`. */
  opOk: kind(49, 'op.ok', 'process:s number:u f:s value:s since:u'),
  opFail: kind(50, 'op.fail', 'process:s number:u f:s value:s since:u'),
  /** A client's first success after `failed` requests that failed, the first of them at `since`. */
  outage: kind(52, 'outage', 'since:u failed:u'),
  /** A daemon, or one of its machines (a lockspace), goes from one state to another. */
  stateChange: kind(60, 'state.change', 'component:s machine:s from:s to:s'),
  /** A view of the members of a ring or a process group. */
  membership: kind(61, 'membership', 'of:s members:s joined:s left:s'),
  quorum: kind(62, 'quorum', 'isQuorate:u votes:u quorum:u expected:u cause:s'),
  /** A lock was `granted`, `converted`, `refused` a conversion (its old mode stands), or `released`. */
  lock: kind(63, 'lock', 'lockspace:s resource:s lkid:u mode:s what:s'),
  service: kind(64, 'service', 'service:s state:s owner:u'),
  /** A victim was `chosen`, an attempt `started`, `succeeded` or `failed`, or the node is `fenced`. */
  fence: kind(65, 'fence', 'victim:u what:s how:s'),
  mount: kind(66, 'mount', 'jid:u what:s'),
  /** A journal was looked at, and replayed if it was dirty. */
  journal: kind(67, 'journal', 'jid:u wasDirty:u replayed:u result:s'),
  /** An agent's action `started` or `ended`. */
  agent: kind(68, 'agent', 'run:u service:s resource:s action:s what:s status:i'),
  /** Any other fact, its fields as JSON. */
  fact: kind(70, 'fact', 'name:s fields:s'),
};

/** `fields`: name and type of each, `id:u to:i`. */
function kind(id: number, name: string, fields: string): RecordKind {
  const pairs = fields === '' ? [] : fields.split(' ').map((field) => field.split(':') as [string, FieldType]);
  return { id, name, fields: pairs };
}
