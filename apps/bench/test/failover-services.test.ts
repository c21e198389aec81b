import { expect, it } from 'vitest';
import { serviceOutages } from '../src/failover/services.js';

it('services of a node that loses its power come back in the time of their phases', () => {
  const outages = serviceOutages(3, 'token="1000" consensus="1200"');
  expect(outages.map(({ name }) => name)).toEqual(['first of 3 services', 'median of 3', 'last of 3']);
  for (const { seconds, phases } of outages) {
    expect(Object.values(phases).reduce((sum, phase) => sum + phase, 0)).toBeCloseTo(seconds);
    // A token, and the consensus of those that are left; a ping that nobody answers, and an announcement.
    expect(phases.detection).toBeGreaterThan(2);
    expect(phases.start).toBeCloseTo(3, 1);
    expect(phases.decision).toBeLessThan(0.5);
  }
});
