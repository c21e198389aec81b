import { describe, expect, it } from 'vitest';
import { Storm } from './storm.js';

const STORMS = Array.from({ length: Number(process.env.STORMS ?? 20) }, (_, i) => i + Number(process.env.STORM ?? 1));

describe.each([
  ['with a directory', false],
  ['without', true],
])('random work with crashes, reboots, leaves and broken connections, %s', (_, isNodir) => {
  it.each(STORMS)('seed %i', (seed) => {
    const storm = new Storm({
      seed,
      nodes: 2 + (seed % 4),
      resources: 3,
      operations: 200,
      faults: seed % 3 === 0 ? 0 : 4,
      protocol: seed % 5 === 0 ? '3.1' : '3.2',
      isNodir,
      hasProcesses: seed % 2 === 0,
    });
    storm.run();
    expect(storm.problems).toEqual([]);
  });
});
