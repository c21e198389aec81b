import { concatBytes } from '@quorate/kernel';
import { TraceFile, TraceWriter } from '../src/index.js';

export function example(): string[] {
  const parts: Uint8Array[] = [];
  const header = { seed: '0000000000000007', scenario: 'hyperv-blog', nodes: [{ id: 1, name: 'my-vm1' }] };
  const writer = new TraceWriter(header, (bytes) => parts.push(bytes.slice()));
  writer.add('nodeState', 1, 0, 1, ['up', 1]);
  writer.add('log', 1, 1_500_000_000, 12, ['notice', 'rgmanager', 'Service service:my_service_group started']);
  writer.end('a49912c61528d96c');

  const file = new TraceFile(concatBytes(...parts));
  const lines = [`${file.header.scenario}, seed ${file.header.seed}, hash ${file.hash}`];
  for (const { time, kind, fields } of file.records()) {
    lines.push(`${time / 1e9} s ${kind} ${Object.values(fields).join(' ')}`);
  }
  return lines;
}
