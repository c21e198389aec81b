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
  | 'send'
  | 'receive'
  | 'drop'
  | 'timer'
  | 'submit'
  | 'done'
  | 'log'
  | 'violation'
  | 'phase'
  | 'fact';

/** The records of this version; a file's header lists them, so that a reader needs no table of its own. */
export const KINDS: { readonly [name in KindName]: RecordKind } = {
  options: { id: 0, name: 'options', fields: [['text', 's']] },
  string: { id: 1, name: 'string', fields: [['text', 'b']] },
  nodeState: {
    id: 2,
    name: 'node.state',
    fields: [
      ['state', 's'],
      ['life', 'u'],
    ],
  },
  send: {
    id: 8,
    name: 'net.send',
    fields: [
      ['id', 'u'],
      ['peer', 's'],
      ['bytes', 'u'],
      ['payload', 'b'],
    ],
  },
  receive: {
    id: 9,
    name: 'net.recv',
    fields: [
      ['id', 'u'],
      ['bytes', 'u'],
      ['payload', 'b'],
    ],
  },
  drop: {
    id: 10,
    name: 'net.drop',
    fields: [
      ['id', 'u'],
      ['reason', 's'],
    ],
  },
  timer: { id: 17, name: 'timer.fire', fields: [] },
  submit: {
    id: 20,
    name: 'io.submit',
    fields: [
      ['tag', 'u'],
      ['lun', 'u'],
      ['opcode', 'u'],
      ['bytes', 'u'],
    ],
  },
  done: {
    id: 22,
    name: 'io.done',
    fields: [
      ['tag', 'u'],
      ['status', 'u'],
      ['bytes', 'u'],
    ],
  },
  log: {
    id: 33,
    name: 'log',
    fields: [
      ['level', 's'],
      ['tag', 's'],
      ['text', 's'],
    ],
  },
  violation: {
    id: 41,
    name: 'violation',
    fields: [
      ['id', 's'],
      ['message', 's'],
    ],
  },
  phase: { id: 43, name: 'phase', fields: [['name', 's']] },
  fact: {
    id: 60,
    name: 'state.change',
    fields: [
      ['kind', 's'],
      ['text', 's'],
    ],
  },
};
