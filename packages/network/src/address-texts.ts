import { formatIpv4, parseIpv4 } from './address.js';

const LARGEST = 4096;

/**
 * Remembers how addresses are written, in both directions: a stack names the same few peers with every datagram.
 *
 * Forgets everything when it holds 4096 of them, so that a scan of addresses cannot make it grow.
 */
export class AddressTexts {
  readonly #texts = new Map<number, string>();
  readonly #addresses = new Map<string, number>();

  text(address: number): string {
    const known = this.#texts.get(address);
    if (known !== undefined) return known;
    const text = formatIpv4(address);
    if (this.#texts.size >= LARGEST) this.#texts.clear();
    this.#texts.set(address, text);
    return text;
  }

  /** @throws {RangeError} when the text is no IPv4 address. */
  address(text: string): number {
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const address = parseIpv4(text);
    if (address === undefined) throw new RangeError(`not an IPv4 address: "${text}"`);
    if (this.#addresses.size >= LARGEST) this.#addresses.clear();
    this.#addresses.set(text, address);
    return address;
  }
}
