import { concatBytes } from '@quorate/kernel';
import { readPcapng, TrafficCapture } from '../src/index.js';

export function captureExample(): string[] {
  const parts: Uint8Array[] = [];
  const capture = new TrafficCapture((bytes) => parts.push(bytes.slice()));
  const client = { address: '10.0.0.1', port: 40_000 };
  const connection = capture.connect(0, client, { address: '10.0.0.250', port: 3260 });
  connection.sent(1_000_000, 'client', new Uint8Array(48));
  connection.close(2_500_000, 'server');
  return [...readPcapng(concatBytes(...parts))].map(({ at, bytes }) => `${at / 1e6} ms: ${bytes.length} bytes`);
}
