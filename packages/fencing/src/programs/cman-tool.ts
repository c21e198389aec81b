import type { Os, Task } from '@quorate/kernel';

/** A line of `cman_tool status`, by the words before its colon; undefined when there is none or cman is not there. */
export function* cmanStatus(os: Os, name: string): Task<string | undefined> {
  const { status, output } = yield* os.run(['cman_tool', 'status']);
  if (status !== 0) return undefined;
  for (const line of output.split('\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name.toLowerCase()) return line.slice(colon + 1).trim();
  }
  return undefined;
}
