/** How a request ended, by its code in messages; clusvcadm exits with it modulo 256. */
export const Result = {
  WARNING: -19,
  PERM: -18,
  /** Could not be moved; it runs where it ran. */
  RELO: -17,
  EXCL: -16,
  DOMAIN: -15,
  SCRIPT: -14,
  FENCE: -13,
  NODE: -12,
  FROZEN: -11,
  RUN: -10,
  QUORUM: -9,
  INVAL: -8,
  DEPEND: -7,
  AGAIN: -6,
  DEADLCK: -5,
  NOSERVICE: -4,
  /** For the owner to do. */
  FORWARD: -3,
  ABORT: -2,
  FAIL: -1,
  SUCCESS: 0,
  YES: 1,
  NO: 2,
} as const;

const RESULT_TEXTS: ReadonlyMap<number, string> = new Map([
  [0, 'Success'],
  [-1, 'Failure'],
  [-2, 'Aborted; service failed'],
  [-3, 'Service not mastered locally'],
  [-4, 'Service does not exist'],
  [-5, 'Operation would cause a deadlock'],
  [-6, 'Temporary failure; try again'],
  [-7, 'Operation violates dependency rule'],
  [-8, 'Invalid operation for resource'],
  [-9, 'Operation requires quorum'],
  [-10, 'Service is already running'],
  [-11, 'Failure: Service is frozen'],
  [-12, 'Target node dead / nonexistent'],
  [-13, 'Fencing operation pending; try again later'],
  [-14, 'S/Lang Script Error'],
  [-15, 'Service not runnable'],
  [-16, 'Service not runnable: cannot run exclusive'],
  [-17, 'Failed; service running on original owner'],
  [-18, 'Permission denied'],
  [-19, 'Warning; see system logs'],
  [1, 'Yes'],
  [2, 'No'],
]);

/** As clusvcadm prints it; `Unknown` for a number that is no result. */
export function resultText(code: number): string {
  return RESULT_TEXTS.get(code) ?? 'Unknown';
}
