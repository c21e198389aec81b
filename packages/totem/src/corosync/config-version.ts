import { asciiBytes, type ByteWriter, cString, getU64, viewOf } from '@quorate/kernel';
import { encodeServiceHeader, Service } from '../cpg/service-message.js';

const KEY = 'totem.config_version';
const KEY_BYTES = 256;
const HEADER_BYTES = 48;
const ITEM_BYTES = 8 + KEY_BYTES + 16;
const REASON_SYNC = 0;
/** `ICMAP_VALUETYPE_UINT64`. */
const TYPE_U64 = 8;
const ID = Service.cmap << 16;

/**
 * cmap's message in a synchronisation: the version of a node's configuration.
 *
 * offset size field
 *      0   16 header     id 0, size 328, or 336 with a value
 *     16    1 reason     0 synchronisation
 *     17    7 –
 *     24    1 items      1
 *     25    7 –
 *     32   16 –
 *     48    2 length of the key, 6 –
 *     56  256 key        totem.config_version, filled with zeros
 *    312    1 type       8 u64; 0 when the configuration has no version, 7 –
 *    320    8 length of the value
 *    328    8 value
 *
 * Source: corosync exec/cmap.c, `struct req_exec_cmap_mcast`.
 */
export function encodeConfigVersion(to: ByteWriter, version: number): Uint8Array {
  const hasVersion = version > 0;
  encodeServiceHeader(to, ID, HEADER_BYTES + ITEM_BYTES + (hasVersion ? 8 : 0));
  to.u8(REASON_SYNC).zeros(7).u8(1).zeros(7).zeros(16);
  to.u16(KEY.length).zeros(6).raw(asciiBytes(KEY), KEY_BYTES);
  to.u8(hasVersion ? TYPE_U64 : 0)
    .zeros(7)
    .u64(hasVersion ? 8 : 0);
  return hasVersion ? to.u64(version).bytes() : to.bytes();
}

/** The version in a message of group `a`, 0 when its sender has none; undefined if it is another message. */
export function decodeConfigVersion(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_BYTES + ITEM_BYTES) return undefined;
  const view = viewOf(bytes);
  const littleEndian = view.getUint32(8, true) === bytes.length;
  if (view.getUint32(0, littleEndian) !== ID || view.getUint8(16) !== REASON_SYNC) return undefined;
  if (cString(bytes, HEADER_BYTES + 8, HEADER_BYTES + 8 + KEY_BYTES) !== KEY) return undefined;
  const hasValue = view.getUint8(312) === TYPE_U64 && bytes.length >= 336;
  return hasValue ? getU64(view, 328, littleEndian) : 0;
}
