import { expect, it } from 'vitest';
import { expectedOf, outageOf, tableOf } from '../src/failover/table.js';

const OUTAGE = outageOf('power', [
  {
    seconds: 20,
    phases: [
      { name: 'detection', seconds: 16 },
      { name: 'start', seconds: 4 },
    ],
  },
  { seconds: 22, phases: [{ name: 'detection', seconds: 18 }] },
]);

it('an outage is the mean of its samples, and a phase that one of them lacks took no time there', () => {
  expect(OUTAGE).toMatchObject({ name: 'power', seconds: 21, phases: { detection: 17, start: 2, stop: 0 } });
});

it('what is as expected is not marked', () => {
  const { lines, differing } = tableOf([OUTAGE], expectedOf([OUTAGE]));
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['outage', 'detection', 'start'],
    ['power', '21.00 (21.00)', '17.00 (17.00)', '2.00 (2.00)'],
  ]);
  expect(differing).toBe(0);
});

it('what differs is marked, also where a phase is new or gone', () => {
  const { lines, differing } = tableOf([OUTAGE], { power: [21, 0, 15, 0, 0, 1, 0, 2, 0] });
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['outage', 'detection', 'journal', 'start'],
    ['power', '21.00 (21.00)', '17.00!(15.00)', '0.00!(1.00)', '2.00 (2.00)'],
  ]);
  expect(differing).toBe(2);
});

it('nothing is known of a case that is new', () => {
  expect(tableOf([OUTAGE], {}).lines[1]).toContain('21.00!(?)');
});
