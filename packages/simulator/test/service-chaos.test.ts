import { parseSeed, SECOND } from '@quorate/kernel';
import { ServiceChaos, type ServiceChaosResult, serviceChaosTopology, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const topology = serviceChaosTopology(administratorsPrograms);

it('services under faults: no rule is broken, and all of them run in the end', () => {
  const scenario = new ServiceChaos({ topology, chaos: 30 * SECOND });
  const simulator = new Simulator({ scenario, topology, seed: parseSeed('4')!, invariants: stackInvariants });
  const { result, violations } = simulator.run();
  const { ok, failures, commands } = result as ServiceChaosResult;
  expect([violations, failures, ok]).toEqual([[], [], true]);
  expect(commands).toBeGreaterThan(5);
});
