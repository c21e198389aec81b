/** Patience with a ring that forms or answers. */
export const PATIENCE_MS = 60_000;

/** Waits until it is so; throws what `what` says when that takes longer than `ms`. */
export async function until(what: () => string, isSo: () => boolean, ms: number = PATIENCE_MS): Promise<void> {
  const last = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > last) throw new Error(`not after ${ms / 1000} s: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
