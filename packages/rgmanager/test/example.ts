import { type ConfElement, type RgInput, Rgmanager, type RgOutput } from '../src/index.js';

const element = (name: string, attributes: Record<string, string>, ...children: ConfElement[]): ConfElement => {
  return { name, attributes: new Map(Object.entries(attributes)), children };
};

export function example(): string[] {
  const lines: string[] = [];
  const script = element('script', { name: 'web', file: '/etc/init.d/web' });
  const conf = element('cluster', {}, element('rm', {}, element('service', { name: 'web' }, script)));
  const rgmanager = new Rgmanager({ nodeId: 1, nodes: [{ id: 1, name: 'node1' }], conf });

  // A cluster of one: locks are granted, messages come back, agents succeed.
  const inputs: RgInput[] = [
    { kind: 'membership', members: [1], isQuorate: true },
    { kind: 'start', wall: 0 },
  ];
  const answer = (output: RgOutput): void => {
    if (output.kind === 'create-lockspace') inputs.push({ kind: 'lockspace-created' });
    if (output.kind === 'lock') inputs.push({ kind: 'lock-cast', handle: output.handle, status: 0 });
    if (output.kind === 'send') inputs.push({ kind: 'message', from: 1, payload: output.payload.slice() });
    if (output.kind === 'run-agent') inputs.push({ kind: 'agent-ended', run: output.run, status: 0 });
    if (output.kind === 'run-agent') lines.push(`${output.file} ${output.action}`);
    if (output.kind === 'log' && output.priority === 'notice') lines.push(output.text);
  };
  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) rgmanager.step(0, input, answer);
  return lines;
}
