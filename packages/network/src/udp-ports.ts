import { isMulticast } from './address.js';

/** The UDP ports that are bound, each with the groups it has joined. */
export class UdpPorts {
  readonly #groups = new Map<number, ReadonlySet<number>>();

  /** False when the port is bound already. */
  bind(port: number, groups: readonly number[]): boolean {
    if (this.#groups.has(port)) return false;
    this.#groups.set(port, new Set(groups));
    return true;
  }

  unbind(port: number): void {
    this.#groups.delete(port);
  }

  isBound(port: number): boolean {
    return this.#groups.has(port);
  }

  /** Whether a datagram to this address and port has a receiver here; `destination` is known to be for this host. */
  takes(port: number, destination: number): boolean {
    const groups = this.#groups.get(port);
    return groups !== undefined && (!isMulticast(destination) || groups.has(destination));
  }

  inspect(): readonly { readonly port: number; readonly groups: readonly number[] }[] {
    return [...this.#groups].map(([port, groups]) => ({ port, groups: [...groups] }));
  }
}
