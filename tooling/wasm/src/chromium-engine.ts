import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Engine } from './engine.js';
import { GUEST } from './program.js';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of an installed Chromium; undefined where there is none. */
export function findChromium(): string | undefined {
  return PLACES.find((path) => existsSync(path));
}

/** Runs a program in a page of a headless Chromium. Bytes cross to it as base64. */
export async function startChromium(program: string, executablePath: string): Promise<Engine> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.addScriptTag({ content: program });
    return {
      name: `Chromium ${browser.version()}`,
      call: async (request) => {
        const reply = await page.evaluate(callGuest, {
          guest: GUEST,
          base64: Buffer.from(request).toString('base64'),
        });
        if ('error' in reply) throw new Error(reply.error);
        return new Uint8Array(Buffer.from(reply.base64, 'base64'));
      },
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Runs in the page, which knows nothing of this file. */
function callGuest({ guest, base64 }: { guest: string; base64: string }): { base64: string } | { error: string } {
  const { main } = (globalThis as unknown as Record<string, { main(request: Uint8Array): Uint8Array }>)[guest]!;
  try {
    const reply = main(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    let text = '';
    for (const byte of reply) text += String.fromCharCode(byte);
    return { base64: btoa(text) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
