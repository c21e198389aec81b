/** What the user asked for makes no sense: said in one line, exit code 4. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Exit codes of the command. */
export const Exit = {
  passed: 0,
  safety: 1,
  liveness: 2,
  determinism: 3,
  usage: 4,
  exception: 5,
  budget: 6,
} as const;
