import { parseCorosyncConf } from '../src/corosync/index.js';
import { CorosyncNode, type NodeOutput } from '../src/node/index.js';

/** Node `nodeId` of the ring of that corosync.conf, with one process, `pid` 1, in group `demo`. */
export async function ringExample(
  text: string,
  nodeId: number,
  stateDirectory: string,
  said: (line: string) => void,
): Promise<CorosyncNode> {
  const onOutput = (output: NodeOutput): void => {
    if (output.kind === 'synced') node.step({ kind: 'join', group: 'demo', pid: 1 });
    if (output.kind === 'configuration' && output.type === 'regular') said(`ring of ${output.members}`);
    if (output.kind === 'confchg') said(`group of ${output.members.map((member) => member.node)}`);
    if (output.kind === 'message') said(`${output.from.node}: ${String.fromCharCode(...output.payload)}`);
  };
  const node = new CorosyncNode({ conf: parseCorosyncConf(text), nodeId, stateDirectory, onOutput });
  await node.start();
  return node;
}
