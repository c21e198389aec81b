import { Dlm, type DlmInput, LockFlag, Mode, modeName } from '@quorate/dlm';
import { MILLISECOND } from '@quorate/kernel';

export const log: string[] = [];
const members = [{ node: 1 }, { node: 2 }];
const dlms = members.map(({ node }) => new Dlm({ nodeId: node }));
const wire: [to: number, input: DlmInput][] = [];
let now = 0;

function run(to: number, first: DlmInput): void {
  wire.push([to, first]);
  for (let next = wire.shift(); next !== undefined; next = wire.shift()) {
    const [node, input] = next;
    dlms[node - 1]!.step(now, input, (output) => {
      if (output.kind === 'packet') wire.push([output.to, { kind: 'packet', from: node, bytes: output.bytes.slice() }]);
      if (output.kind === 'bast') log.push(`node ${node} is in the way of ${modeName(output.mode)}`);
      if (output.kind === 'cast')
        log.push(`node ${node} holds ${modeName(output.mode)}, value ${output.lvb?.join(' ')}`);
    });
  }
}

const lockspace = 'accounts';
for (const { node } of members) run(node, { kind: 'create', lockspace, lvbLength: 8, isFs: false });
for (const { node } of members) run(node, { kind: 'connected', node: 3 - node });
for (const { node } of members) run(node, { kind: 'start', lockspace, members });
for (; now < 50 * MILLISECOND; now += MILLISECOND) for (const { node } of members) run(node, { kind: 'wake' });

const lvb = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 42]);
const smith = { kind: 'lock', lockspace, handle: 1, name: 'smith', flags: LockFlag.VALBLK } as const;
run(1, { ...smith, mode: Mode.EX });
run(2, { ...smith, mode: Mode.PR });
run(1, { ...smith, mode: Mode.PR, flags: LockFlag.CONVERT | LockFlag.VALBLK, lvb });
