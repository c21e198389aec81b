import type { Os, Task } from '@quorate/kernel';
import type { AgentCall } from './resource-agent.js';

/** A logical volume as `lvs` tells of it. */
export interface ListedVolume {
  readonly name: string;
  readonly isActive: boolean;
  /** Mounted, say. */
  readonly isOpen: boolean;
}

/** Whom a tag of the cluster says a group or a volume belongs to. */
export type Owner = 'nobody' | 'this node' | 'another node' | 'a node that is gone';

/** Runs a command, and shows what it says. Whether it succeeded. */
export function* succeeds(call: AgentCall, ...argv: readonly string[]): Task<boolean> {
  const { status, output, errors } = yield* call.os.run(argv);
  call.os.print(output);
  call.os.printError(errors);
  return status === 0;
}

/** What a report says of one column, a line each; nothing when it is refused. */
function* column(os: Os, command: 'vgs' | 'lvs', field: string, name: string): Task<readonly string[]> {
  const { output } = yield* os.run([command, '--noheadings', '-o', field, name]);
  return output.split('\n').map((line) => line.trim());
}

/** Whether clvmd guards the group. */
export function* isClusteredGroup(os: Os, group: string): Task<boolean> {
  return (yield* column(os, 'vgs', 'attr', group)).some((attributes) => attributes[5] === 'c');
}

/** The volumes of a group, or the one that is named `GROUP/VOLUME`. */
export function* listVolumes(os: Os, name: string): Task<readonly ListedVolume[]> {
  const lines = (yield* column(os, 'lvs', 'name,attr', name)).filter((line) => line !== '');
  return lines.map((line) => {
    const [volume = '', attributes = ''] = line.split(/\s+/);
    return { name: volume, isActive: attributes[4] === 'a', isOpen: attributes[5] === 'o' };
  });
}

/** Tags of a group, or of a volume. */
export function* tagsOf(os: Os, name: string): Task<readonly string[]> {
  const texts = yield* column(os, name.includes('/') ? 'lvs' : 'vgs', 'tags', name);
  return texts.flatMap((text) => text.split(',')).filter((tag) => tag !== '');
}

/** Whom the tags of a group or of a volume name. One that names a node outside the cluster is nobody's any more. */
export function* ownerOf(call: AgentCall, name: string): Task<Owner> {
  const { os } = call;
  const owner = (yield* tagsOf(os, name)).join(',');
  const own = yield* localNodeName(os);
  if (own === undefined) {
    call.log('err', 'Unable to determine cluster node name');
    return 'another node';
  }
  if (owner === '') return 'nobody';
  if (owner === own) return 'this node';
  return (yield* isMember(os, owner)) ? 'another node' : 'a node that is gone';
}

/** Name of this node in the cluster; undefined while cman does not run. */
export function* localNodeName(os: Os): Task<string | undefined> {
  const { output } = yield* os.run(['cman_tool', 'status']);
  return /^Node name: (\S+)/m.exec(output)?.[1];
}

function* isMember(os: Os, node: string): Task<boolean> {
  const { output } = yield* os.run(['corosync-quorumtool', '-l']);
  const names = output.split('\n').map((line) => line.trim().split(/\s+/).at(-1) ?? '');
  return names.some((name) => name === node || name.startsWith(`${node}.`));
}
