import { findChromium } from '@quorate/wasm';

/** Path of Chromium. Undefined where there is none, unless the programs that judge us are required: then it throws. */
export function neededChromium(): string | undefined {
  const path = findChromium();
  if (path === undefined && process.env.QUORATE_REQUIRE_ORACLES === '1') throw new Error('Chromium is not installed');
  return path;
}
