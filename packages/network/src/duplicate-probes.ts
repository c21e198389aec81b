import { type Nanos, SECOND } from '@quorate/kernel';
import { formatMac } from './address.js';
import type { NetInterface } from './interfaces.js';
import type { IpSender } from './ip-sender.js';
import type { Turn } from './turn.js';

/** `mac` of whoever has the address, for instance `00:15:5d:4c:4a:01`; absent when nobody answered in time. */
export interface ProbeOutput {
  readonly kind: 'probe-ended';
  readonly id: number;
  readonly mac?: string;
}

interface Probe {
  readonly id: number;
  readonly via: NetInterface;
  readonly address: number;
  readonly until: Nanos;
  nextAt: Nanos;
}

const INTERVAL: Nanos = SECOND;

/**
 * Asks whether an address is taken, as `arping -D` does: once a second until somebody answers or the time is over.
 *
 * Source: RFC 5227, section 2.1.1; iputils arping.c.
 */
export class DuplicateProbes {
  readonly #turn: Turn<ProbeOutput>;
  readonly #sender: IpSender;
  readonly #probes: Probe[] = [];

  constructor(turn: Turn<ProbeOutput>, sender: IpSender) {
    this.#turn = turn;
    this.#sender = sender;
  }

  start(id: number, via: NetInterface, address: number, timeout: Nanos): void {
    const { now } = this.#turn;
    this.#probes.push({ id, via, address, until: now + timeout, nextAt: now + INTERVAL });
    this.#sender.askFor(via, address, 0);
  }

  /** Takes any ARP packet that came in on an interface: its sender has the address it names. */
  onArp(via: NetInterface, senderAddress: number, senderMac: number): void {
    for (const probe of [...this.#probes]) {
      if (probe.via === via && probe.address === senderAddress) this.#end(probe, formatMac(senderMac));
    }
  }

  wake(): void {
    const { now } = this.#turn;
    for (const probe of [...this.#probes]) {
      if (probe.until <= now) this.#end(probe, undefined);
      else if (probe.nextAt <= now) {
        probe.nextAt = now + INTERVAL;
        this.#sender.askFor(probe.via, probe.address, 0);
      }
    }
  }

  deadline(): Nanos {
    let least = Infinity;
    for (const { until, nextAt } of this.#probes) least = Math.min(least, until, nextAt);
    return least;
  }

  #end(probe: Probe, mac: string | undefined): void {
    this.#probes.splice(this.#probes.indexOf(probe), 1);
    this.#turn.emit({ kind: 'probe-ended', id: probe.id, ...(mac === undefined ? {} : { mac }) });
  }
}
