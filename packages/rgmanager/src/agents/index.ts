import type { Program } from '@quorate/kernel';
import { AGENT_DIRECTORY } from './agent-metadata.js';
import { apache } from './apache.js';
import { clusterfs } from './clusterfs.js';
import { fs } from './fs.js';
import { ip } from './ip.js';
import { lvm } from './lvm.js';
import { script } from './script.js';
import { service } from './service.js';

/** The resource agents by the file that rgmanager runs: `/usr/share/cluster/ip.sh`. */
export const agentPrograms: ReadonlyMap<string, Program> = new Map(
  Object.entries({ service, ip, apache, script, fs, clusterfs, lvm }).map(([type, program]) => [
    `${AGENT_DIRECTORY}/${type}.sh`,
    program,
  ]),
);
