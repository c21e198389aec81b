import { expect, it } from 'vitest';
import * as guest from '../src/guest/utf8.js';

it.each(['', 'my-vm1', 'Grüße', '節点 五', '😀 and a lone \ud800'])(
  '%j is the same bytes and the same text as on a host',
  (text) => {
    const bytes = new TextEncoder().encode(text);
    expect(new guest.TextEncoder().encode(text)).toEqual(bytes);
    const into = new Uint8Array(bytes.length + 1);
    new guest.TextEncoder().encodeInto(text, into);
    expect(into).toEqual(Uint8Array.of(...bytes, 0));
    expect(new guest.TextDecoder().decode(bytes)).toBe(new TextDecoder().decode(bytes));
  },
);
