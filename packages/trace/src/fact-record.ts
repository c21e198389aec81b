import type { Stamped } from '@quorate/kernel';
import type { FieldValue, KindName } from './kinds.js';

/** A fact that is read by the names of its fields: those of all packages come here, and none of them is imported. */
export type AnyFact = Stamped & Readonly<Record<string, unknown>>;

/** What a fact becomes in a trace, but for its instant. */
export interface FactRecord {
  readonly kind: KindName;
  readonly node: number;
  readonly values: readonly FieldValue[];
}

/** rgmanager's states of a service from 110 on, as its log and `clustat` name them. */
const SERVICE_STATES = [
  ...['stopped', 'starting', 'started', 'stopping', 'failed', 'uninitialized', 'check'],
  ...['recoverable', 'recovering', 'disabled', 'migrating'],
];
const FIRST_SERVICE_STATE = 110;

/** qdiskd's states of a node on the disk, by their number. */
const QDISK_STATES: ReadonlyMap<number, string> = new Map([
  [0, 'none'],
  [1, 'evicted'],
  [2, 'initializing'],
  [5, 'running'],
  [6, 'master'],
  [7, 'leaving'],
]);

const DLM_STATES: ReadonlyMap<string, string> = new Map([
  ['dlm.stopped', 'stopped'],
  ['dlm.starting', 'starting'],
  ['dlm.started', 'recovering'],
  ['dlm.recovered', 'running'],
  ['dlm.released', 'left'],
]);

/** Those that the driver tells better by itself. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(['network.delivered', 'scsi.command-enabled']);

/** Of the stamp, which every record has by itself. */
const STAMP: ReadonlySet<string> = new Set(['kind', 'now', 'node', 'life', 'seq', 'at']);

/** Turns facts into records of a trace. Remembers the states that daemons are in, to say where a change comes from. */
export class FactRecords {
  /** By node, component and machine. */
  readonly #states = new Map<string, string>();

  /** Undefined for a fact that makes no record. */
  of(fact: AnyFact): FactRecord | undefined {
    if (TOLD_OTHERWISE.has(fact.kind)) return undefined;
    const [domain] = fact.kind.split('.', 1);
    switch (domain) {
      case 'network':
        return networkRecord(fact);
      case 'scsi':
        return scsiRecord(fact);
      case 'client':
        return clientRecord(fact);
      case 'dlm':
        return this.#dlmRecord(fact);
      case 'rg':
        return serviceRecord(fact);
      case 'fenced':
        return this.#fenceRecord(fact);
      case 'gfs2':
        return fileSystemRecord(fact);
      default:
        return this.#nodeRecord(fact);
    }
  }

  #nodeRecord(fact: AnyFact): FactRecord {
    switch (fact.kind) {
      case 'node.state':
        this.#forget(fact);
        return record('nodeState', fact, [text(fact.state), fact.life]);
      case 'totem.state':
        return this.#change(fact, 'totem', '', text(fact.state));
      case 'totem.configuration':
        return record('membership', fact, [`ring ${fact.ring} ${fact.type}`, ...views(fact)]);
      case 'cpg.confchg':
        return record('membership', fact, [`group ${fact.group}`, ...views(fact)]);
      case 'quorum.changed':
        return record('quorum', fact, [
          Number(fact.isQuorate),
          ...[fact.total, fact.quorum, fact.expected].map(Number),
          text(fact.cause),
        ]);
      case 'qdisk.state':
        return this.#change(fact, 'qdisk', '', QDISK_STATES.get(Number(fact.state)) ?? text(fact.state));
      default:
        return otherRecord(fact);
    }
  }

  #dlmRecord(fact: AnyFact): FactRecord {
    const state = DLM_STATES.get(fact.kind);
    if (state !== undefined) return this.#change(fact, 'dlm', text(fact.lockspace), state);
    const { lockspace, resource, lkid, mode } = fact;
    const lock = (what: string, of: unknown): FactRecord =>
      record('lock', fact, [text(lockspace), text(resource), Number(lkid), text(of), what]);
    switch (fact.kind) {
      case 'dlm.lock-granted':
        return lock('granted', mode);
      case 'dlm.converted':
        return lock(fact.isGranted === true ? 'converted' : 'refused', mode);
      case 'dlm.unlocked':
        return lock('released', '');
      default:
        return otherRecord(fact);
    }
  }

  #fenceRecord(fact: AnyFact): FactRecord {
    const fence = (what: string, how: unknown): FactRecord =>
      record('fence', fact, [Number(fact.victim), what, text(how)]);
    switch (fact.kind) {
      case 'fenced.state':
        return this.#change(fact, 'fenced', '', text(fact.state));
      case 'fenced.victim':
        return fence('chosen', '');
      case 'fenced.fencing-started':
        return fence('started', `attempt ${fact.attempt}`);
      case 'fenced.attempt-ended':
        return fence(fact.isSuccess === true ? 'succeeded' : 'failed', `attempt ${fact.attempt}`);
      case 'fenced.fenced':
        return fence('fenced', fact.how);
      default:
        return otherRecord(fact);
    }
  }

  #change(fact: AnyFact, component: string, machine: string, to: string): FactRecord {
    const key = `${fact.node} ${component} ${machine}`;
    const from = this.#states.get(key) ?? '';
    this.#states.set(key, to);
    return record('stateChange', fact, [component, machine, from, to]);
  }

  /** A machine that goes down takes the states of its daemons with it. */
  #forget({ node, state }: AnyFact): void {
    if (state !== 'off') return;
    for (const key of [...this.#states.keys()]) if (key.startsWith(`${node} `)) this.#states.delete(key);
  }
}

function networkRecord(fact: AnyFact): FactRecord {
  const [from, to, id] = [Number(fact.from), Number(fact.to), Number(fact.id)];
  switch (fact.kind) {
    case 'network.dropped':
      return { kind: 'drop', node: from, values: [id, to, text(fact.reason)] };
    case 'network.partition':
      return record('link', fact, [from, to, fact.isClosed === true ? 'cut' : 'open']);
    case 'network.nic':
      return { kind: 'nic', node: Number(fact.nic), values: [fact.isUp === true ? 'up' : 'down'] };
    default:
      return otherRecord(fact);
  }
}

function scsiRecord(fact: AnyFact): FactRecord | undefined {
  const node = Number(fact.nexus);
  switch (fact.kind) {
    case 'scsi.command-ended':
      if (fact.isDelivered === true) return undefined;
      return { kind: 'ioFault', node, values: [Number(fact.tag), Number(fact.lun), 'not delivered'] };
    case 'scsi.command-aborted':
      return { kind: 'ioFault', node, values: [Number(fact.tag), Number(fact.lun), text(fact.reason)] };
    case 'scsi.reservation-changed': {
      const registered = (fact.registered as readonly { readonly nexus: number; readonly key: string }[])
        .map(({ nexus, key }) => `${nexus}=${key}`)
        .join(' ');
      const { lun, action, key, type, holder } = fact;
      const values = [Number(lun), text(action), text(key), Number(type ?? 0), Number(holder ?? 0), registered];
      return { kind: 'prChange', node, values };
    }
    default:
      return otherRecord(fact);
  }
}

function clientRecord(fact: AnyFact): FactRecord {
  switch (fact.kind) {
    case 'client.request': {
      const { number, outcome, sentAt, isAnswered } = fact;
      const values = ['F5', Number(number), 'get', text(outcome), Number(sentAt)];
      return record(isAnswered === true ? 'opOk' : 'opFail', fact, values);
    }
    case 'client.outage-ended':
      return record('outage', fact, [Number(fact.from), Number(fact.failed)]);
    default:
      return otherRecord(fact);
  }
}

function serviceRecord(fact: AnyFact): FactRecord {
  switch (fact.kind) {
    case 'rg.service': {
      const state = SERVICE_STATES[Number(fact.state) - FIRST_SERVICE_STATE] ?? text(fact.state);
      return record('service', fact, [text(fact.service), state, Number(fact.owner)]);
    }
    case 'rg.agent-started':
      return record('agent', fact, [...agentFields(fact), 'started', 0]);
    case 'rg.agent-ended':
      return record('agent', fact, [...agentFields(fact), 'ended', Number(fact.status)]);
    case 'rg.members':
      return record('membership', fact, ['rgmanager', ...views(fact)]);
    default:
      return otherRecord(fact);
  }
}

function agentFields({ run, service, resource, action }: AnyFact): readonly FieldValue[] {
  return [Number(run), text(service), text(resource), text(action)];
}

function fileSystemRecord(fact: AnyFact): FactRecord {
  const jid = Number(fact.jid);
  switch (fact.kind) {
    case 'gfs2.mounting':
      return record('mount', fact, [jid, 'mounting']);
    case 'gfs2.mounted':
      return record('mount', fact, [jid, 'mounted']);
    case 'gfs2.unmounted':
      return record('mount', fact, [jid, 'unmounted']);
    case 'gfs2.withdrawn':
      return record('mount', fact, [jid, 'withdrawn']);
    case 'gfs2.journal-recovered':
      return record('journal', fact, [jid, Number(fact.wasDirty), Number(fact.replayed), text(fact.result)]);
    default:
      return otherRecord(fact);
  }
}

function record(kind: KindName, { node }: AnyFact, values: readonly FieldValue[]): FactRecord {
  return { kind, node, values };
}

function otherRecord(fact: AnyFact): FactRecord {
  const fields = Object.fromEntries(Object.entries(fact).filter(([name]) => !STAMP.has(name)));
  return record('fact', fact, [fact.kind, JSON.stringify(fields)]);
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

/** Members, those who joined and those who left. */
function views({ members, joined, left }: AnyFact): readonly string[] {
  return [members, joined, left].map((nodes) => (nodes === undefined ? '' : (nodes as readonly unknown[]).join(' ')));
}
