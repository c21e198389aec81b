import { formatCtime } from '@quorate/kernel';

/** What `clustat` has to say at one moment of the story. */
export interface ClustatSituation {
  readonly clusterName: string;
  readonly wallSec: number;
  /** The node it runs on. */
  readonly local: string;
  /** Nodes in the order of their ids, and whether they are there. */
  readonly members: readonly { readonly name: string; readonly isOnline: boolean }[];
  readonly service: string;
  readonly owner: string;
}

/** The output for 80 columns, written out from the tool's recorded output and not from its rules. */
export function expectedClustat(situation: ClustatSituation): string {
  const { clusterName, wallSec, local, members, service, owner } = situation;
  const rows = members.map(({ name, isOnline }, i) => {
    const flags = isOnline ? `Online${name === local ? ', Local' : ''}, rgmanager` : 'Offline';
    return ` ${name.padEnd(40)}${String(i + 1).padStart(5)} ${flags}`;
  });
  return `${[
    `Cluster Status for ${clusterName} @ ${formatCtime(wallSec)}`,
    'Member Status: Quorate',
    '',
    ' Member Name                             ID   Status',
    ' ------ ----                             ---- ------',
    ...rows,
    ` ${'/dev/block/8:33'.padEnd(40)}    0 Online, Quorum Disk`,
    '',
    ' Service Name                   Owner (Last)                   State         ',
    ' ------- ----                   ----- ------                   -----         ',
    ` ${`service:${service}`.padEnd(30)} ${owner.padEnd(30)} started       `,
  ].join('\n')}\n`;
}
