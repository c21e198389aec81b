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
  /** Undefined: nothing is said of services. */
  readonly #services: readonly ServiceRecord[] | undefined;
  readonly #nameWidth: number;
  readonly #serviceWidth: number;

  constructor(query: ClustatQuery, view: ClustatView, columns: number) {
    const { member, service, isFast } = query;
    this.#query = query;
    this.#view = view;
    this.#nameWidth = Math.min(Math.floor(columns / 2), MAX_WIDTH);
    this.#serviceWidth = Math.max(0, Math.min(Math.floor((columns - 20) / 2), MAX_WIDTH));
    const members = isFast ? view.members : inOrder(view.members);
    this.#members = members.filter(({ name, isOnline, isEstranged }) =>
      member === undefined ? isOnline || isEstranged !== true : name === member,
    );
    // Services are not asked for when only a member is wanted.
    const services = member === undefined ? view.services : undefined;
    this.#services = services
      ?.filter(({ name }) => service === undefined || name === service)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  status(): number {
    if (this.#query.service !== undefined) {
      const state = this.#services?.[0]?.state;
      return state === undefined ? UNKNOWN : RUNNING.includes(state) ? 0 : state;
    }
    if (this.#query.member === undefined) return 0;
    const found = this.#members[0];
    return found === undefined ? UNKNOWN : found.isOnline ? 0 : 1;
  }

  text(): string {
    const { member, service, format } = this.#query;
    const services = format === 'long' ? this.#longServices() : this.#serviceTable();
    if (service !== undefined) return services;
    if (member !== undefined) return this.#memberTable();
    const { clusterName, wall, isQuorate } = this.#view;
    const head = `Cluster Status for ${clusterName} @ ${formatCtime(wall)}\n`;
    const quorum = `Member Status: ${isQuorate ? 'Quorate' : 'Inquorate'}\n`;
    return `${head}${quorum}\n${this.#memberTable()}\n${services}`;
  }

  #memberTable(): string {
    const row = (name: string, rest: string): string => ` ${cell(name, this.#nameWidth)}${rest}\n`;
    const rows = this.#members.map((each) => {
      const words = this.#memberFlags(each).join(', ');
      return row(each.name, ` ${String(each.id).padStart(4)} ${words}`);
    });
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
    if (!this.#view.members.some((each) => each.isMaster)) return 'rgmanager';
    return isMaster ? 'RG-Master' : 'RG-Worker';
  }

  /** Known from rgmanager's answer only. */
  #runsRgmanager({ hasRgmanager }: ClustatMember): boolean {
    return hasRgmanager && this.#services !== undefined;
  }

  #serviceTable(): string {
    if (this.#services === undefined || this.#services.length === 0) return '';
    const width = this.#serviceWidth;
    const row = (name: string, owner: string, state: string): string =>
      ` ${cell(name, width)} ${cell(owner, width)} ${cell(state, STATE_WIDTH)}\n`;
    const rows = this.#services.map((record) => row(record.name, this.#ownerCell(record), stateCell(record)));
    const head = row('Service Name', 'Owner (Last)', 'State') + row('------- ----', '----- ------', '-----');
    return `${head}${rows.join('')}`;
  }

  #ownerCell({ state, owner, lastOwner }: ServiceRecord): string {
    if (!SHOWS_LAST_OWNER.includes(state)) return this.#nameOf(owner);
    return `(${this.#nameOf(lastOwner).slice(0, Math.max(0, this.#serviceWidth - 2))})`;
  }

  #longServices(): string {
    if (this.#services === undefined || this.#services.length === 0) return '';
    const paragraphs = this.#services.map((record) => {
      const words = flagWords(record.flags);
      return [
        `Service Name      : ${record.name}\n`,
        `  Current State   : ${stateText(record.state)} (${record.state})\n`,
        `  Flags           : ${words.length === 0 ? 'none' : words.join(', ')} (${record.flags})\n`,
        `  Owner           : ${this.#nameOf(record.owner)}\n`,
        `  Last Owner      : ${this.#nameOf(record.lastOwner)}\n`,
        `  Last Transition : ${formatCtime(record.transition)}\n\n`,
      ].join('');
    });
    return `Service Information\n------- -----------\n\n${paragraphs.join('')}`;
  }

  xml(): string {
    const { member, service } = this.#query;
    const isWhole = member === undefined && service === undefined;
    return [
      `<?xml version="1.0"?>\n<clustat version="${XML_VERSION}">\n`,
      isWhole ? this.#xmlCluster() : '',
      service === undefined
        ? `  <nodes>\n${this.#members.map((each) => this.#xmlNode(each)).join('')}  </nodes>\n`
        : '',
      this.#services === undefined
        ? ''
        : `  <groups>\n${this.#services.map((each) => this.#xmlGroup(each)).join('')}  </groups>\n`,
      '</clustat>\n',
    ].join('');
  }

  #xmlCluster(): string {
    const { clusterName, clusterId, generation, isQuorate, members } = this.#view;
    // Compatible: without quorum the original breaks the line.
    const quorate = isQuorate ? 'quorate="1"' : 'quorate="0"\n';
    const isGroupMember = members.some((member) => member.isLocal && this.#runsRgmanager(member));
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
      ['rgmanager_master', bit(member.isMaster)],
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

/** Padded and cut to a width. */
function cell(text: string, width: number): string {
  return text.padEnd(width).slice(0, width);
}

function stateCell({ state, flags }: ServiceRecord): string {
  const isFrozen = (flags & ServiceFlag.FROZEN) !== 0;
  const letters = `${isFrozen ? 'Z' : ''}${(flags & ServiceFlag.PARTIAL) === 0 ? '' : 'P'}`;
  return letters === '' ? stateText(state) : `${cell(stateText(state), STATE_WIDTH - 2 - letters.length)}[${letters}]`;
}

function flagWords(flags: number): readonly string[] {
  const words = (flags & ServiceFlag.FROZEN) === 0 ? [] : ['frozen'];
  if ((flags & ServiceFlag.PARTIAL) !== 0) words.push('partial');
  return words;
}

function hexId(id: number): string {
  return `0x${id.toString(16).padStart(8, '0')}`;
}

function bit(value: boolean | undefined): string {
  return value ? '1' : '0';
}
