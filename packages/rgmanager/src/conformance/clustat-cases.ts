import type { ServiceRecord } from '../state/service-record.js';
import { type ClustatView, formatClustat } from '../tools/clustat.js';
import { parseClustat } from '../tools/clustat-command.js';
import { type RecordedCase, type RecordedFiles, textDifferences } from './recorded-files.js';

/** How the cluster is, as `clustat/cases.json` says it. */
interface Situation {
  readonly quorate: number;
  readonly local: number;
  readonly up: string;
  readonly rgmanager: string;
  readonly qdisk: number;
  readonly rgmanager_reachable: number;
  readonly master: number;
  /** `service:a,112,2,1,0;vm:b,110,0,1,0`: state, owner, last owner, flags. */
  readonly services: string;
}

interface Case extends Situation {
  /** Null: not a terminal. */
  readonly columns: number | null;
  readonly args: string;
  readonly exit: number;
}

function records(text: string): readonly ServiceRecord[] {
  if (text === '') return [];
  return text.split(';').map((each) => {
    const [name = '', ...numbers] = each.split(',');
    const [state = 0, owner = 0, lastOwner = 0, flags = 0] = numbers.map(Number);
    return { name, state, owner, lastOwner, flags, restarts: 1, transition: 1446155900 };
  });
}

/** The cluster of the recordings: five nodes and a quorum disk, which cman gives first. */
export function clustatView(situation: Situation): ClustatView {
  const nodes = [1, 2, 3, 4, 5].map((id) => ({
    id,
    name: `my-vm${id}`,
    isOnline: situation.up.includes(String(id)),
    isLocal: id === situation.local,
    hasRgmanager: situation.rgmanager.includes(String(id)),
    isMaster: id === situation.master,
    isQuorumDisk: false,
  }));
  const disk = { isOnline: true, isLocal: false, hasRgmanager: false, isQuorumDisk: true };
  return {
    clusterName: 'my-cluster',
    clusterId: 12345,
    generation: 32,
    wall: 1446155980,
    isQuorate: situation.quorate === 1,
    members: situation.qdisk === 1 ? [{ id: 0, name: '/dev/block/8:33', ...disk }, ...nodes] : nodes,
    services: situation.rgmanager_reachable === 1 ? records(situation.services) : undefined,
  };
}

export function clustatCases(files: RecordedFiles): readonly RecordedCase[] {
  if (!files.names('clustat').includes('cases.json')) return [];
  const cases = JSON.parse(files.text('clustat/cases.json')) as Readonly<Record<string, Case>>;
  return Object.entries(cases).map(([name, { args, columns, exit, ...situation }]) => ({
    name: `clustat/${name}`,
    differences: () => {
      const command = parseClustat(['clustat', ...args.split(' ').filter((arg) => arg !== '')]);
      const { output, status } = formatClustat(command, clustatView(situation), columns ?? undefined);
      const ofStatus = status === exit ? [] : [`exit status: found ${status}, expected ${exit}`];
      return [...textDifferences(output, files.text(`clustat/${name}.expected`)), ...ofStatus];
    },
  }));
}
