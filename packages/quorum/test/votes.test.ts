import { expect, it } from 'vitest';
import { calculateQuorum } from '../src/index.js';
import { isAcceptableQuorum } from '../src/votes.js';

it.each([
  // The cluster of the walk-through: expected 9, a device of 4 votes. alive  device  total  quorate
  [5, true, 9, true],
  [4, true, 8, true],
  [3, true, 7, true],
  [2, true, 6, true],
  [1, true, 5, true],
  [5, false, 5, true],
  [4, false, 4, false],
])('%i nodes of five, device %s: %i votes, quorate %s', (members, isDeviceUp, total, isQuorate) => {
  expect(members + (isDeviceUp ? 4 : 0)).toBe(total);
  expect(calculateQuorum({ total, expected: 9, members }, 5, false, false)).toBe(5);
  expect(5 <= total).toBe(isQuorate);
});

it.each([
  // total  expected  members  so far  may fall  two-node  quorum
  [0, 0, 0, 0, false, false, 1],
  [1, 1, 1, 0, false, false, 1],
  [2, 2, 2, 0, false, false, 2],
  [3, 3, 3, 0, false, false, 2],
  [3, 5, 3, 0, false, false, 3],
  [4, 4, 4, 0, false, false, 3],
  // More than half of what is there, if that is more than half of what is expected.
  [9, 5, 5, 0, false, false, 5],
  [102, 5, 3, 0, false, false, 52],
  // It never falls by itself.
  [1, 1, 1, 3, false, false, 3],
  [1, 1, 1, 3, true, false, 1],
  [8, 4, 4, 5, true, false, 5],
  // Two-node mode wins over both, but not for a third node.
  [1, 1, 1, 3, false, true, 1],
  [2, 2, 2, 0, false, true, 1],
  [3, 3, 3, 0, false, true, 2],
])('%i votes, %i expected, %i members, %i so far, may fall %s, two-node %s: %i', (...row) => {
  const [total, expected, members, quorum, isDecreaseAllowed, isTwoNode, result] = row;
  expect(calculateQuorum({ total, expected, members }, quorum, isDecreaseAllowed, isTwoNode)).toBe(result);
});

it.each([
  // quorum  total  acceptable
  [3, 5, true],
  [2, 5, true],
  [1, 5, false],
  [5, 5, true],
  [6, 5, false],
  [1, 1, true],
  [1, 0, false],
])('a quorum of %i of %i votes may be set: %s', (quorum, total, isAcceptable) => {
  expect(isAcceptableQuorum(quorum, total)).toBe(isAcceptable);
});
