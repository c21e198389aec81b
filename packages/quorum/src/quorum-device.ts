import type { Nanos } from '@quorate/kernel';

/** What a call did to the device: something that is counted anew, only to its record, or nothing. */
export type DeviceChange =
  | 'registered'
  | 're-registered'
  | 'renamed'
  | 'up'
  | 'down'
  | 'votes'
  | 'unregistered'
  | 'none';

/** Why a call was refused, by the names of errno. */
export type DeviceErrno = 'EINVAL' | 'ENOENT' | 'EBUSY' | 'EALREADY';

/**
 * The quorum device of one node: a name and votes that count while somebody keeps saying that it is there.
 *
 * Each node counts it for itself. A registered device is down until it is polled; it is down again `poll` after the
 * last poll. Source: cman/daemon/commands.c, `do_cmd_poll_quorum_device` and `quorum_device_timer_fn`, which measures
 * with the wall clock; here a step of the wall clock changes nothing.
 */
export class QuorumDevice {
  readonly #poll: Nanos;
  #name = '';
  #votes = 0;
  #isUp = false;
  #registeredAt = 0;
  #polledAt: Nanos = 0;

  /** @param poll `quorum_dev_poll`: how long after the last poll the device still counts. */
  constructor(poll: Nanos) {
    this.#poll = poll;
  }

  /** Empty while none is registered. */
  get name(): string {
    return this.#name;
  }

  get votes(): number {
    return this.#votes;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Votes that count now. */
  get votesUp(): number {
    return this.#isUp ? this.#votes : 0;
  }

  /** Wall clock second of its first registration. */
  get registeredAt(): number {
    return this.#registeredAt;
  }

  /** When it lapses unless it is polled before; Infinity while it is down. */
  deadline(): Nanos {
    return this.#isUp ? this.#polledAt + this.#poll : Infinity;
  }

  register(name: string, votes: number, wallSeconds: number): DeviceChange | DeviceErrno {
    if (this.#name !== '' && this.#name !== name) return 'EBUSY';
    if (this.#name !== '') return this.#setVotes(votes) === 'votes' ? 'votes' : 're-registered';
    this.#name = name;
    this.#votes = votes;
    this.#isUp = false;
    this.#registeredAt = wallSeconds;
    return 'registered';
  }

  /** Gives a registered device other votes or another name. */
  update(name: string, votes: number): DeviceChange | DeviceErrno {
    if (this.#name === '') return 'EINVAL';
    const isRenamed = this.#name !== name;
    this.#name = name;
    const change = this.#setVotes(votes);
    return change === 'none' && isRenamed ? 'renamed' : change;
  }

  poll(now: Nanos, isUp: boolean): DeviceChange | DeviceErrno {
    if (this.#name === '') return 'EINVAL';
    if (isUp) this.#polledAt = now;
    if (isUp === this.#isUp) return 'none';
    this.#isUp = isUp;
    return isUp ? 'up' : 'down';
  }

  /** Takes the device down when its time is over. */
  lapse(now: Nanos): boolean {
    if (now < this.deadline()) return false;
    this.#isUp = false;
    return true;
  }

  unregister(): DeviceChange | DeviceErrno {
    if (this.#name === '') return 'EINVAL';
    if (this.#isUp) return 'EBUSY';
    this.#name = '';
    this.#votes = 0;
    return 'unregistered';
  }

  #setVotes(votes: number): DeviceChange {
    const isChanged = votes !== this.#votes;
    this.#votes = votes;
    return isChanged && this.#isUp ? 'votes' : 'none';
  }
}
