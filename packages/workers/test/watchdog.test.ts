import { expect, it } from 'vitest';
import { Watchdog } from '../src/hub/watchdog.js';
import { FakeWall } from './fake-wall.js';

it('barks once, when nothing was heard for its time', () => {
  const wall = new FakeWall();
  let barks = 0;
  const watchdog = new Watchdog(wall, 1000, () => barks++);
  wall.advance(900);
  watchdog.heard();
  wall.advance(1800);
  expect(barks).toBe(0);
  wall.advance(5000);
  expect(barks).toBe(1);
});

it('takes the time in which the whole process was suspended for a tenth of its own', () => {
  const wall = new FakeWall();
  let barks = 0;
  new Watchdog(wall, 1000, () => barks++);
  wall.lateMs = 1_000_000;
  wall.advance(1_000_000);
  expect(barks).toBe(0);
});
