/** What the user asked for makes no sense: said in one line, exit code 4. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
