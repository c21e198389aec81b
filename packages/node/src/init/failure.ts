/** What a script printed before the first step of it that failed. */
export function failureIn(output: string): string {
  const lines = output.split('\n');
  return (lines[lines.findIndex((line) => line.includes('[FAILED]')) - 1] ?? '').trim().replace(/ {2,}/, ' ');
}
