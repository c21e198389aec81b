import type { LogPriority, Nanos } from '@quorate/kernel';

type ReloadOutput =
  | { readonly kind: 'reload-config'; readonly configVersion: number }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

type Emit = (output: ReloadOutput) => void;

/**
 * Which version of `cluster.conf` this node runs, and which one it has yet to read because others run it.
 *
 * A file that others run and that cannot be read here is asked for again and again; meanwhile this node has an error,
 * which takes its quorum. A file that only an administrator wanted is given up at once.
 *
 * Source: cman/daemon/commands.c, `reload_config` and `ccsd_timer_fn`.
 */
export class ConfigReload {
  /** `ccsd_poll`. */
  readonly #poll: Nanos;
  #running: number;
  #wanted = 0;
  #hasError = false;
  #isRetry = false;
  #retryAt: Nanos = Infinity;

  constructor(running: number, poll: Nanos) {
    this.#running = running;
    this.#poll = poll;
  }

  /** The version in use. */
  get running(): number {
    return this.#running;
  }

  /** The newest version that others were seen to run; 0 if none was newer. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Others run a version that could not be read here. */
  get hasError(): boolean {
    return this.#hasError;
  }

  /** The file was asked for again after it could not be read. */
  get isRetry(): boolean {
    return this.#isRetry;
  }

  deadline(): Nanos {
    return this.#retryAt;
  }

  /** Somebody runs that version: asks for a file of at least that, once. */
  want(version: number, emit: Emit): void {
    if (version < this.#running) {
      const text = `Requested version [${version}] older than running version [${this.#running}]`;
      return emit({ kind: 'log', priority: 'err', text });
    }
    if (version <= Math.max(this.#running, this.#wanted)) return;
    this.#wanted = version;
    emit({ kind: 'reload-config', configVersion: version });
  }

  /** A file of that version was read. Returns why it is not used, or undefined: it is in use now. */
  take(version: number, emit: Emit): string | undefined {
    if (version <= this.#running) {
      const reason = 'New configuration version has to be newer than current running configuration';
      emit({ kind: 'log', priority: 'err', text: `Unable to load new config in corosync: ${reason}` });
      return reason;
    }
    // Differs from cman, which would take it and stop asking for the one that it needs.
    if (version < this.#wanted) return 'version mismatch on this node';
    this.#running = version;
    this.#hasError = false;
    this.#isRetry = false;
    this.#retryAt = Infinity;
    return undefined;
  }

  /** The file could not be read. Returns whether this node has an error now that it had not before. */
  fail(now: Nanos, reason: string, emit: Emit): boolean {
    const log = (text: string): void => emit({ kind: 'log', priority: 'err', text });
    if (this.#wanted <= this.#running) {
      log(`Can't get updated config version: ${reason}.`);
      log('Continuing activity with old configuration');
      return false;
    }
    log(`Can't get updated config version ${this.#wanted}: ${reason}.`);
    log('Activity suspended on this node');
    if (this.#retryAt === Infinity) {
      log('Error reloading the configuration, will retry every second');
      this.#retryAt = now + this.#poll;
    }
    const isNew = !this.#hasError;
    this.#hasError = true;
    return isNew;
  }

  /** Asks again when it is time to. */
  wake(now: Nanos, emit: Emit): void {
    if (now < this.#retryAt) return;
    this.#retryAt = Infinity;
    this.#isRetry = true;
    emit({ kind: 'reload-config', configVersion: this.#wanted });
  }
}
