import type { TraceRecord } from '../reader.js';

const OPCODES: ReadonlyMap<number, string> = new Map([
  [0x00, 'TEST UNIT READY'],
  [0x12, 'INQUIRY'],
  [0x25, 'READ CAPACITY'],
  [0x28, 'READ'],
  [0x2a, 'WRITE'],
  [0x35, 'SYNCHRONIZE CACHE'],
  [0x5e, 'PERSISTENT RESERVE IN'],
  [0x5f, 'PERSISTENT RESERVE OUT'],
  [0x88, 'READ'],
  [0x8a, 'WRITE'],
  [0x91, 'SYNCHRONIZE CACHE'],
]);

/** Name of a SCSI command, or its opcode in hex. Source: SPC-4 and SBC-3, "Operation codes". */
export function opcodeName(opcode: number): string {
  return OPCODES.get(opcode) ?? `command ${opcode.toString(16).toUpperCase().padStart(2, '0')}h`;
}

/** What a machine's own event was, in a few words; undefined for kinds that say nothing of it. */
export function eventText({ kind, fields }: TraceRecord): string | undefined {
  switch (kind) {
    case 'node.state':
      return `machine ${fields.state}`;
    case 'state.change':
      return [fields.component, fields.machine, fields.to].filter((part) => part !== '').join(' ');
    case 'membership':
      return `${fields.of}: members ${fields.members === '' ? 'none' : fields.members}`;
    case 'quorum':
      return `${fields.isQuorate === 1 ? 'quorate' : 'inquorate'}, ${fields.votes} votes of ${fields.quorum}`;
    case 'service':
      return `${fields.service} ${fields.state}${fields.owner === 0 ? '' : ` on node ${fields.owner}`}`;
    case 'fence':
      return `victim ${fields.victim} ${fields.what}`;
    case 'mount':
      return `journal ${fields.jid} ${fields.what}`;
    case 'journal':
      return `journal ${fields.jid} ${fields.wasDirty === 1 ? 'replayed' : 'clean'}`;
    case 'agent':
      return `${fields.action} ${fields.resource} ${fields.what}`;
    case 'pr.change':
      return `${fields.action}, holder ${fields.holder}`;
    case 'violation':
      return `${fields.id} violated: ${fields.message}`;
    default:
      return undefined;
  }
}
