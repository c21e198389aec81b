/** Who keeps services from being started: rgmanager itself, a user (`clusvcadm -l`), or the way out. */
export const Lockdown = { SYSTEM: 1, USER: 2, SHUTDOWN: 4 } as const;

/** What the whole daemon is in. */
export class DaemonState {
  isQuorate = false;
  /** `rm/@central_processing`: one node decides for all. */
  isCentral = false;
  /** `Lockdown` bits. */
  #lockdown = 0;

  /** Whether services may not be started now. */
  get isLocked(): boolean {
    return this.#lockdown !== 0;
  }

  get isUserLocked(): boolean {
    return (this.#lockdown & Lockdown.USER) !== 0;
  }

  /** Whether it is rgmanager itself that holds services: it lost quorum, or is about to exit. */
  get isGoingDown(): boolean {
    return (this.#lockdown & ~Lockdown.USER) !== 0;
  }

  lock(bits: number): void {
    this.#lockdown |= bits;
  }

  unlock(bits: number): void {
    this.#lockdown &= ~bits;
  }
}
