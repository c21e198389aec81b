/** The four numbers of an IPv4 address in dotted notation; undefined for anything else. */
export function ipv4Octets(text: string): readonly number[] | undefined {
  const octets = text.split('.').map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return octets.length === 4 && octets.every((octet) => octet < 256) ? octets : undefined;
}
