import { formatCtime, type ProgramResult } from '@quorate/kernel';
import { resultText } from '../state/result.js';
import { ServiceFlag, type ServiceRecord, ServiceState, stateText } from '../state/service-record.js';
import type { ClustatCommand, ClustatQuery } from './clustat-command.js';

/** A node of the cluster, or its quorum disk, as clustat shows it. */
export interface ClustatMember {
  readonly id: number;
  readonly name: string;
  readonly isOnline: boolean;
  readonly isLocal: boolean;
  /** Its rgmanager listens. */
  readonly hasRgmanager: boolean;
  readonly isQuorumDisk: boolean;
  /** A member that `cluster.conf` does not name. */
  readonly isEstranged?: boolean;
  /** It decides for all in central processing. */
  readonly isMaster?: boolean;
  /** It takes no services: beyond the original, which shows no such nodes. */
  readonly isStandby?: boolean;
}

/** What cman and rgmanager say at one instant. */
export interface ClustatView {
  readonly clusterName: string;
  readonly clusterId: number;
  /** Number of the membership configuration, for XML. */
  readonly generation: number;
  /** Wall clock second. */
  readonly wall: number;
  readonly isQuorate: boolean;
  /** In cman's order. */
  readonly members: readonly ClustatMember[];
  /** Undefined: rgmanager does not answer. */
  readonly services: readonly ServiceRecord[] | undefined;
  /** `Result` with which rgmanager refused. */
  readonly refusal?: number;
}

/** Columns of an output that is no terminal. */
const DEFAULT_COLUMNS = 80;
const XML_VERSION = '4.1.1';
const STATE_WIDTH = 14;
const MAX_WIDTH = 64;
/** Exit status of what is not there: -1. */
const UNKNOWN = 255;

/**
 * What clustat prints.
 *
 * @param columns width of the terminal, at least 20; undefined: the output is none
 *
 * Source: rgmanager src/utils/clustat.c.
 */
export function formatClustat(
  command: ClustatCommand,
  view: ClustatView,
  columns: number = DEFAULT_COLUMNS,
): ProgramResult {
  switch (command.kind) {
    case 'end':
      return command.result;
    case 'quorum':
      return { status: view.isQuorate ? 0 : 1, output: '', errors: '' };
    case 'id': {
      const id = view.members.find(({ isLocal }) => isLocal)?.id ?? 0;
      return { status: 0, output: `${hexId(id)}\n`, errors: '' };
    }
    case 'show':
      return show(command, view, columns);
  }
}

function show(query: ClustatQuery, view: ClustatView, columns: number): ProgramResult {
  const isRefused = view.refusal !== undefined && query.member === undefined;
  const complaint = isRefused ? `Service states unavailable: ${resultText(view.refusal)}\n` : '';
  const report = new ClustatReport(query, view, columns);
  const output = query.format === 'xml' ? report.xml() : report.text();
  return { status: report.status(), output: `${complaint}${output}`, errors: '' };
}

class ClustatReport {
  readonly #query: ClustatQuery;
  readonly #view: ClustatView;
  readonly #members: readonly ClustatMember[];
  /** Undefined: there are none, rgmanager does not answer, or it is not asked because only a member is wanted. */
  readonly #services: readonly ServiceRecord[] | undefined;
  readonly #nameWidth: number;
  readonly #serviceWidth: number;

  constructor(query: ClustatQuery, view: ClustatView, columns: number) {
    this.#query = query;
    this.#view = view;
    this.#nameWidth = Math.min(Math.floor(columns / 2), MAX_WIDTH);
    this.#serviceWidth = Math.max(0, Math.min(Math.floor((columns - 20) / 2), MAX_WIDTH));
    this.#members = query.isFast ? view.members.map(asCmanHasIt) : inOrder(view.members).filter(isShown);
    const { services = [] } = view;
    const isAsked = query.member === undefined && services.length > 0;
    this.#services = isAsked ? [...services].sort((a, b) => (a.name < b.name ? -1 : 1)) : undefined;
  }

  /** Compatible: what is not there is an error of the table, and of XML only when rgmanager does not answer. */
  status(): number {
    const { member, service, format } = this.#query;
    const unknown = format === 'xml' ? 0 : UNKNOWN;
    const isOnline = this.#shownMembers[0]?.isOnline;
    const ofMember = isOnline === undefined ? unknown : Number(!isOnline);
    if (member !== undefined && ofMember !== 0) return ofMember;
    if (service === undefined) return 0;
    if (this.#services === undefined) return format === 'xml' ? UNKNOWN : 0;
    const state = this.#shownServices[0]?.state;
    if (state === undefined) return unknown;
    return RUNNING.includes(state) ? 0 : state & 0xff;
  }

  get #shownMembers(): readonly ClustatMember[] {
    const { member } = this.#query;
    return this.#members.filter(({ name }) => member === undefined || name === member);
  }

  get #shownServices(): readonly ServiceRecord[] {
    const { service } = this.#query;
    return this.#services?.filter(({ name }) => service === undefined || name === service) ?? [];
  }

  /** Whether nothing but a service is wanted. */
  get #isServiceOnly(): boolean {
    return this.#query.service !== undefined && this.#query.member === undefined;
  }

  get #isWhole(): boolean {
    return this.#query.service === undefined && this.#query.member === undefined;
  }

  text(): string {
    const { clusterName, wall, isQuorate } = this.#view;
    const head = `Cluster Status for ${clusterName} @ ${formatCtime(wall)}\n`;
    const quorum = `Member Status: ${isQuorate ? 'Quorate' : 'Inquorate'}\n\n`;
    return [
      this.#isWhole ? head + quorum : '',
      this.#isServiceOnly ? '' : this.#memberTable(),
      this.#isWhole ? '\n' : '',
      this.#services === undefined ? '' : this.#serviceTable(),
    ].join('');
  }

  #memberTable(): string {
    const { member } = this.#query;
    const row = (name: string, rest: string): string => ` ${cell(name, this.#nameWidth)}${rest}\n`;
    const rows = this.#shownMembers.map((each) => {
      const words = this.#memberFlags(each).join(', ');
      return row(each.name, ` ${String(each.id).padStart(4)} ${words}`);
    });
    if (member !== undefined && rows.length === 0) return '';
    return `${row('Member Name', 'ID   Status')}${row('------ ----', '---- ------')}${rows.join('')}`;
  }

  #memberFlags(member: ClustatMember): readonly string[] {
    const words = [member.isOnline ? 'Online' : 'Offline'];
    if (member.isLocal) words.push('Local');
    if (member.isEstranged) words.push('Estranged');
    if (this.#runsRgmanager(member)) words.push(this.#managerWord(member));
    if (member.isStandby) words.push('Standby');
    if (member.isQuorumDisk) words.push('Quorum Disk');
    return words;
  }

  #managerWord({ isMaster }: ClustatMember): string {
    if (!this.#view.members.some((each) => each.isMaster && each.hasRgmanager)) return 'rgmanager';
    return isMaster ? 'RG-Master' : 'RG-Worker';
  }

  /** Known from rgmanager's answer only. */
  #runsRgmanager({ hasRgmanager }: ClustatMember): boolean {
    return hasRgmanager && this.#services !== undefined;
  }

  /** Compatible: a service by itself has the table's head, in the long format, too. */
  #serviceTable(): string {
    const { service, format } = this.#query;
    const width = this.#serviceWidth;
    const row = (name: string, owner: string, state: string): string =>
      ` ${cell(name, width)} ${cell(owner, width)} ${cell(state, STATE_WIDTH)}\n`;
    const head = row('Service Name', 'Owner (Last)', 'State') + row('------- ----', '----- ------', '-----');
    const isLong = format === 'long';
    const rows = this.#shownServices.map((record) => {
      const line = isLong ? this.#paragraph(record) : row(record.name, this.#ownerCell(record), stateCell(record));
      return service === undefined ? line : head + line;
    });
    if (isLong) return `Service Information\n------- -----------\n\n${rows.join('')}`;
    return service === undefined ? head + rows.join('') : rows.join('');
  }

  #ownerCell({ state, owner, lastOwner }: ServiceRecord): string {
    if (!SHOWS_LAST_OWNER.includes(state)) return this.#nameOf(owner);
    return `(${this.#nameOf(lastOwner).slice(0, Math.max(0, this.#serviceWidth - 2))})`;
  }

  #paragraph(record: ServiceRecord): string {
    const words = flagWords(record.flags);
    return [
      `Service Name      : ${record.name}\n`,
      `  Current State   : ${stateText(record.state)} (${record.state})\n`,
      `  Flags           : ${words.length === 0 ? 'none' : words.join(', ')} (${record.flags})\n`,
      `  Owner           : ${this.#nameOf(record.owner)}\n`,
      `  Last Owner      : ${this.#nameOf(record.lastOwner)}\n`,
      `  Last Transition : ${formatCtime(record.transition)}\n\n`,
    ].join('');
  }

  xml(): string {
    const nodes = this.#shownMembers.map((each) => this.#xmlNode(each)).join('');
    const groups = this.#shownServices.map((each) => this.#xmlGroup(each)).join('');
    return [
      `<?xml version="1.0"?>\n<clustat version="${XML_VERSION}">\n`,
      this.#isWhole ? this.#xmlCluster() : '',
      this.#isServiceOnly ? '' : `  <nodes>\n${nodes}  </nodes>\n`,
      this.#services === undefined ? '' : `  <groups>\n${groups}  </groups>\n`,
      '</clustat>\n',
    ].join('');
  }

  #xmlCluster(): string {
    const { clusterName, clusterId, generation, isQuorate, members } = this.#view;
    // Compatible: without quorum the original breaks the line.
    const quorate = isQuorate ? 'quorate="1"' : 'quorate="0"\n';
    const isGroupMember = isQuorate && members.some((member) => member.isLocal && this.#runsRgmanager(member));
    const quorum = `  <quorum ${quorate} groupmember="${bit(isGroupMember)}"/>\n`;
    return `  <cluster name="${clusterName}" id="${clusterId}" generation="${generation}"/>\n${quorum}`;
  }

  #xmlNode(member: ClustatMember): string {
    const attributes = [
      ['name', member.name],
      ['state', bit(member.isOnline)],
      ['local', bit(member.isLocal)],
      ['estranged', bit(member.isEstranged)],
      ['rgmanager', bit(this.#runsRgmanager(member))],
      ['rgmanager_master', bit(member.isMaster === true && this.#runsRgmanager(member))],
      ['qdisk', bit(member.isQuorumDisk)],
      ['nodeid', hexId(member.id)],
      ...(member.isStandby ? [['standby', bit(true)]] : []),
    ];
    return `    <node ${attributes.map(([name, value]) => `${name}="${value}"`).join(' ')}/>\n`;
  }

  #xmlGroup(record: ServiceRecord): string {
    const attributes = [
      ['name', record.name],
      ['state', record.state],
      ['state_str', stateText(record.state)],
      ['flags', record.flags],
      ['flags_str', flagWords(record.flags).join(' ')],
      ['owner', this.#nameOf(record.owner)],
      ['last_owner', this.#nameOf(record.lastOwner)],
      ['restarts', record.restarts],
      ['last_transition', record.transition],
      ['last_transition_str', formatCtime(record.transition)],
    ];
    return `    <group ${attributes.map(([name, value]) => `${name}="${value}"`).join(' ')}/>\n`;
  }

  #nameOf(id: number): string {
    if (id === 0) return 'none';
    return this.#view.members.find((member) => member.id === id)?.name ?? 'unknown';
  }
}

/** States of a service that is well: clustat -s exits with 0. */
const RUNNING: readonly number[] = [ServiceState.STARTING, ServiceState.STARTED, ServiceState.STOPPING];

/** States in which nobody owns a service, so that its last owner is shown. */
const SHOWS_LAST_OWNER: readonly number[] = [
  ServiceState.STOPPED,
  ServiceState.DISABLED,
  ServiceState.ERROR,
  ServiceState.FAILED,
];

/** Nodes of the configuration by their ids, then those that only cman knows, the quorum disk among them. */
function inOrder(members: readonly ClustatMember[]): readonly ClustatMember[] {
  const isConfigured = ({ isQuorumDisk, isEstranged }: ClustatMember): boolean => !isQuorumDisk && isEstranged !== true;
  const configured = members.filter(isConfigured).sort((a, b) => a.id - b.id);
  return [...configured, ...members.filter((member) => !isConfigured(member))];
}

/** What `-f` shows: it looks at no configuration, which alone tells who is estranged, or the quorum disk. */
function asCmanHasIt(member: ClustatMember): ClustatMember {
  return { ...member, isEstranged: false, isQuorumDisk: false };
}

function isShown({ isOnline, isEstranged }: ClustatMember): boolean {
  return isOnline || isEstranged !== true;
}

/** Padded and cut to a width. */
function cell(text: string, width: number): string {
  return text.padEnd(width).slice(0, width);
}

function stateCell({ state, flags }: ServiceRecord): string {
  const letters = bitsOf(flags)
    .map((flag) => FLAG_LETTERS.get(flag) ?? UNKNOWN_FLAG)
    .join('');
  return letters === '' ? stateText(state) : `${cell(stateText(state), STATE_WIDTH - 2 - letters.length)}[${letters}]`;
}

function flagWords(flags: number): readonly string[] {
  return bitsOf(flags).map((flag) => FLAG_WORDS.get(flag) ?? UNKNOWN_FLAG);
}

function bitsOf(flags: number): readonly number[] {
  return Array.from({ length: 32 }, (_, i) => 1 << i).filter((flag) => (flags & flag) !== 0);
}

const FLAG_LETTERS: ReadonlyMap<number, string> = new Map([
  [ServiceFlag.FROZEN, 'Z'],
  [ServiceFlag.PARTIAL, 'P'],
]);
const FLAG_WORDS: ReadonlyMap<number, string> = new Map([
  [ServiceFlag.FROZEN, 'frozen'],
  [ServiceFlag.PARTIAL, 'partial'],
]);
const UNKNOWN_FLAG = 'Unknown';

function hexId(id: number): string {
  return `0x${id.toString(16).padStart(8, '0')}`;
}

function bit(value: boolean | undefined): string {
  return value ? '1' : '0';
}
