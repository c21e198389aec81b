import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** The browser as Debian and others name it, by its path; undefined where `PATH` has none. */
export function chromiumPath(): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  return ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((path) => isExecutable(path));
}

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  // Memory is measured when it is asked for, not some time later.
  '--enable-blink-features=ForceEagerMeasureMemory',
];

/** Starts it without a window. Without its sandbox, which needs a privilege that containers do not have. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
