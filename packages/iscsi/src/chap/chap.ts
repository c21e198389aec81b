import { bytesEqual, type Choices, concatBytes, fromHex, hex, md5, utf8Bytes } from '@quorate/kernel';

import { sha256 } from './sha256.js';

/** One side's name and secret. */
export interface ChapSecret {
  readonly name: string;
  readonly secret: string;
}

/** Algorithms by their number in CHAP_A: 5 is MD5, 7 SHA-256. Source: RFC 7143, 12.1.3, and the IANA registry of PPP. */
const ALGORITHMS: ReadonlyMap<number, { readonly hash: (bytes: Uint8Array) => Uint8Array; readonly length: number }> =
  new Map([
    [5, { hash: md5, length: 16 }],
    [7, { hash: sha256, length: 32 }],
  ]);

/** What an initiator of ours offers in CHAP_A: what everybody has first. */
export const CHAP_ALGORITHMS = '5,7';

/** Longest challenge that is taken, in bytes. Source: RFC 7143, 12.1.3. */
const MAX_CHALLENGE_BYTES = 1024;

/** The first algorithm of a CHAP_A list that we have; undefined when there is none. */
export function chooseAlgorithm(list: string): number | undefined {
  return list
    .split(',')
    .map(Number)
    .find((number) => ALGORITHMS.has(number));
}

/** The response to a challenge: the hash over identifier, secret and challenge. */
export function chapResponse(algorithm: number, identifier: number, secret: string, challenge: Uint8Array): Uint8Array {
  return ALGORITHMS.get(algorithm)!.hash(concatBytes(Uint8Array.of(identifier), utf8Bytes(secret), challenge));
}

export function isRightResponse(
  algorithm: number,
  identifier: number,
  secret: string,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean {
  return bytesEqual(chapResponse(algorithm, identifier, secret, challenge), response);
}

/** A challenge that one side has sent. */
export interface Challenge {
  readonly algorithm: number;
  readonly identifier: number;
  readonly bytes: Uint8Array;
}

/** A new challenge of as many bytes as the hash has; all of them come from `choices`. */
export function newChallenge(algorithm: number, choices: Choices): Challenge {
  const bytes = new Uint8Array(ALGORITHMS.get(algorithm)!.length);
  const identifier = choices.choose('chap-identifier', 256);
  for (let i = 0; i < bytes.length; i++) bytes[i] = choices.choose('chap-challenge', 256);
  return { algorithm, identifier, bytes };
}

/** A binary value as we send it: libiscsi reads no other form. */
export function encodeBinary(bytes: Uint8Array): string {
  return `0x${hex(bytes)}`;
}

/** Reads a binary value in hex (`0x`) or base64 (`0b`); undefined for anything else, and when it is too long. */
export function decodeBinary(text: string): Uint8Array | undefined {
  const digits = text.slice(2);
  if (/^0x[0-9a-f]+$/i.test(text) && digits.length <= 2 * MAX_CHALLENGE_BYTES) {
    return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`);
  }
  const isBase64 = /^0b(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/i.test(text);
  return isBase64 && digits.length <= 2 * MAX_CHALLENGE_BYTES ? decodeBase64(digits) : undefined;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decodeBase64(digits: string): Uint8Array {
  const text = digits.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  for (let i = 0, at = 0; i < text.length; i++) {
    bits = ((bits << 6) | BASE64.indexOf(text[i]!)) & 0xffffff;
    if (i % 4 !== 0) bytes[at++] = bits >> (6 - 2 * (i % 4));
  }
  return bytes;
}
