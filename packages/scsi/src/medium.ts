import type { Nanos } from '@quorate/kernel';
import { MEDIUM_NOT_PRESENT, type Sense, sanitizeInProgress } from './sense.js';

/** What a command asks of the medium. */
export interface MediumNeeds {
  /** Ends with NOT READY when the medium is ejected. */
  readonly needsMedium?: boolean;
  /** Runs while the medium is being sanitized, as most commands do not. */
  readonly runsDuringSanitize?: boolean;
}

/** Whether the medium of a logical unit is there and can be used: ejected, locked into its tray, being sanitized. */
export class Medium {
  /** False between an eject and a load. */
  isLoaded = true;
  /** Nexuses that prevent its removal. */
  readonly #preventing = new Set<number>();
  #sanitizedFrom: Nanos = 0;
  #sanitizedAt: Nanos = 0;

  get isRemovalPrevented(): boolean {
    return this.#preventing.size > 0;
  }

  /** PREVENT ALLOW MEDIUM REMOVAL of one nexus. */
  prevent(nexus: number): void {
    this.#preventing.add(nexus);
  }

  /** The opposite, and the end of the nexus. */
  allow(nexus: number): void {
    this.#preventing.delete(nexus);
  }

  /** Resets and power loss. */
  allowAll(): void {
    this.#preventing.clear();
  }

  /** A sanitize operation begins. Nothing ends it early, not even a reset: that is what it is for. */
  beginSanitize(now: Nanos, duration: Nanos): void {
    this.#sanitizedFrom = now;
    this.#sanitizedAt = now + duration;
  }

  isSanitizing(now: Nanos): boolean {
    return now < this.#sanitizedAt;
  }

  /** Why the unit is not ready, for any command; undefined when it is. */
  notReady(now: Nanos): Sense | undefined {
    if (this.isSanitizing(now)) {
      const done = (now - this.#sanitizedFrom) / (this.#sanitizedAt - this.#sanitizedFrom);
      return sanitizeInProgress(Math.floor(done * 0x1_0000));
    }
    return this.isLoaded ? undefined : MEDIUM_NOT_PRESENT;
  }

  /** Why that command cannot run; undefined when it can. */
  refusalOf(now: Nanos, command: MediumNeeds): Sense | undefined {
    if (this.isSanitizing(now)) return command.runsDuringSanitize === true ? undefined : this.notReady(now);
    return this.isLoaded || command.needsMedium !== true ? undefined : MEDIUM_NOT_PRESENT;
  }
}
