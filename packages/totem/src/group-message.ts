import { ByteWriter, latin1, u16At } from '@quorate/kernel';

/** Group of all services, and group of synchronisation. */
export const SERVICE_GROUP = 'a';
export const SYNC_GROUP = 'sync';

/**
 * What stands in front of a message: the groups it is for.
 *
 * offset size field
 *      0    2 group count g
 *      2   2g name lengths
 *   2+2g      names, then the message, unaligned
 *
 * Names are bytes; here strings of one character each (Latin-1).
 *
 * Source: corosync exec/totempg.c, `totempg_groups_mcast_joined`.
 */
export function encodeGroups(groups: readonly string[]): { readonly lengths: Uint8Array; readonly names: Uint8Array } {
  const lengths = new ByteWriter(true, 8).u16(groups.length);
  const names = new ByteWriter(true, 32);
  for (const group of groups) {
    if (group.length > 0xffff) throw new RangeError(`a group name of ${group.length} characters, at most 65535`);
    lengths.u16(group.length);
    for (let i = 0; i < group.length; i++) names.u8(group.charCodeAt(i));
  }
  return { lengths: lengths.bytes(), names: names.bytes() };
}

/** The groups of a message, and its content, which aliases it; undefined if the names do not fit into it. */
export function decodeGroups(
  message: Uint8Array,
  littleEndian: boolean,
): { readonly groups: readonly string[]; readonly payload: Uint8Array } | undefined {
  if (message.length < 2) return undefined;
  const count = u16At(message, 0, littleEndian);
  let at = 2 + 2 * count;
  if (at > message.length) return undefined;
  const groups: string[] = [];
  for (let i = 0; i < count; i++) {
    const end = at + u16At(message, 2 + 2 * i, littleEndian);
    if (end > message.length) return undefined;
    groups.push(latin1(message, at, end));
    at = end;
  }
  return { groups, payload: message.subarray(at) };
}
