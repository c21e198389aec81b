import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium } from '../src/e2e/chromium.js';
import { LabPage } from '../src/e2e/lab-page.js';
import { heapOf } from '../src/e2e/memory.js';
import type { ServedPage } from '../src/server/serve.js';
import { serveBuiltPage } from './built-page.js';

const executable = chromiumPath();
if (executable === undefined && process.env.QUORATE_REQUIRE_ORACLES === '1') {
  throw new Error('chromium is required and not installed');
}
const artefacts = fileURLToPath(new URL('../artefacts/', import.meta.url));

/** Wall time for what takes a few seconds, on a machine that others use too. */
const PATIENCE_MS = 180_000;

describe.skipIf(executable === undefined)(
  executable === undefined ? 'the page (chromium is not installed)' : 'the page in Chromium',
  () => {
    let browser: Browser;
    let served: ServedPage;
    let lab: LabPage;

    beforeAll(async () => {
      mkdirSync(artefacts, { recursive: true });
      [browser, served] = await Promise.all([launchChromium(executable!), serveBuiltPage()]);
      lab = await LabPage.open(browser, served.url, '?speed=20', { width: 1280, height: 900 });
    }, PATIENCE_MS);

    afterAll(async () => {
      await browser?.close();
      await served?.close();
    });

    it('stands still until its user starts something, and offers nothing that needs a running cluster', async () => {
      expect(await lab.page.textContent('.clock-state')).toBe('not started');
      expect(await lab.toggle('my-vm1', 'power').isDisabled()).toBe(true);
      expect(await lab.page.getByRole('combobox').isDisabled()).toBe(true);
      await lab.page.screenshot({ path: `${artefacts}1280-idle.png` });
    });

    it('refuses a seed that is none', async () => {
      const seed = lab.page.getByLabel('seed');
      await seed.fill('not a seed');
      expect(await lab.button('Free run').isDisabled()).toBe(true);
      await seed.fill('7');
      expect(await lab.button('Free run').isDisabled()).toBe(false);
    });

    it(
      'boots five machines that form a cluster and serve the page',
      async () => {
        await lab.button('Free run').click();
        await lab.waitForRing('1 2 3 4 5', PATIENCE_MS);
        await lab.waitForPage('served', PATIENCE_MS);
        await lab.page.locator('.lamp-on', { hasText: 'RGMGR' }).nth(4).waitFor({ timeout: PATIENCE_MS });
        expect(await lab.page.locator('[data-quorum]').getAttribute('data-quorum')).toBe('quorate');
        expect(await lab.page.locator('.key-registered').count()).toBe(5);
        // Where machines boot slowly another one may have been first: it is moved to the first of its domain then.
        await lab.display('my-vm1').filter({ hasText: 'my_service_group started' }).waitFor({ timeout: PATIENCE_MS });
      },
      PATIENCE_MS,
    );

    it(
      'shows on a prompt what the terminal shows',
      async () => {
        const output = await lab.type('my-vm2', 'clustat', 'service:my_service_group', PATIENCE_MS);
        expect(output).toContain('Member Status: Quorate');
        expect(output).toMatch(/my-vm2 +2 Online, Local, rgmanager/);
        expect(output).toMatch(/service:my_service_group +my-vm1 +started/);
        const prompt = lab.page.getByRole('combobox', { name: 'root@my-vm2' });
        await prompt.press('ArrowUp');
        expect(await prompt.inputValue()).toBe('clustat');
        await prompt.fill('cat /etc/cluster/cl');
        await prompt.press('Tab');
        await expect.poll(() => prompt.inputValue()).toBe('cat /etc/cluster/cluster.conf ');
        await prompt.fill('');
      },
      PATIENCE_MS,
    );

    it(
      'loses a machine whose power is switched off by mouse, and takes it back',
      async () => {
        await lab.toggle('my-vm3', 'power').click();
        await lab.waitForRing('1 2 4 5', PATIENCE_MS);
        expect(await lab.toggle('my-vm3', 'power').getAttribute('aria-checked')).toBe('false');
        const fenced = lab.page.locator('[data-key-of="my-vm3"]');
        await fenced.filter({ hasText: 'preempted by my-vm' }).waitFor({ timeout: PATIENCE_MS });
        expect(await lab.type('my-vm1', 'clustat', 'my-vm3', PATIENCE_MS)).toMatch(/my-vm3 +3 Offline/);
        await lab.page.screenshot({ path: `${artefacts}1280-my-vm3-fenced.png` });
        await lab.toggle('my-vm3', 'power').click();
        await lab.waitForRing('1 2 3 4 5', PATIENCE_MS);
        await fenced.filter({ hasText: '0x63d20003' }).waitFor({ timeout: PATIENCE_MS });
      },
      2 * PATIENCE_MS,
    );

    it('stands while its time is held, and goes on', async () => {
      await lab.button('Hold time').click();
      await lab.page.locator('.clock[data-state="held"]').waitFor();
      const before = await lab.clock();
      // A held clock runs through what was granted: two slices.
      await lab.page.waitForTimeout(300);
      expect((await lab.clock()) - before).toBeLessThan(0.5);
      await lab.button('Go on').click();
      await expect.poll(() => lab.clock(), { timeout: PATIENCE_MS }).toBeGreaterThan(before + 1);
    });

    it(
      'is usable by keyboard alone: everything that can be operated gets the focus, and shows it',
      async () => {
        const reached = await lab.page.evaluate(() =>
          [...document.querySelectorAll('button, input, [tabindex="0"]')]
            .filter((element) => !(element as HTMLButtonElement).disabled)
            .map((element) => element.getAttribute('aria-label') ?? element.textContent?.trim() ?? ''),
        );
        // The focus goes on from where somebody clicked last.
        await lab.page.locator('h1').click();
        const focused: string[] = [];
        for (let i = 0; i < reached.length; i += 1) {
          await lab.page.keyboard.press('Tab');
          focused.push(
            await lab.page.evaluate(() => {
              const element = document.activeElement!;
              const { outlineStyle, outlineWidth } = getComputedStyle(element);
              const isShown = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
              const name = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '';
              return isShown ? name : `${name} (focus is not shown)`;
            }),
          );
        }
        expect(focused).toEqual(reached);
        await lab.toggle('my-vm5', 'run').focus();
        await lab.page.keyboard.press('Space');
        await lab.page.locator('.unit-paused[data-machine="my-vm5"]').waitFor({ timeout: PATIENCE_MS });
        await lab.page.keyboard.press('Space');
        await lab.page.locator('.unit-up[data-machine="my-vm5"]').waitFor({ timeout: PATIENCE_MS });
      },
      PATIENCE_MS,
    );

    it.each([
      [1280, 900],
      [1920, 1080],
    ])(
      'fits a window of %i x %i, with names for everything and contrasts of 4.5 and more',
      async (width, height) => {
        await lab.page.setViewportSize({ width, height });
        const overflow = await lab.page.evaluate(() => ({
          x: document.documentElement.scrollWidth - window.innerWidth,
          y: document.documentElement.scrollHeight - window.innerHeight,
        }));
        expect(overflow).toEqual({ x: 0, y: 0 });
        await lab.page.screenshot({ path: `${artefacts}${width}-running.png` });
        await lab.page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
        const violations = await lab.page.evaluate(async () => {
          const { axe: checker } = window as unknown as { axe: typeof axe };
          const { violations } = await checker.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
        });
        expect(violations).toEqual([]);
      },
      PATIENCE_MS,
    );

    it('stops, with what it came to still on the page', async () => {
      expect(await lab.violations()).toBe(0);
      await lab.button('Stop').click();
      await lab.button('Start the story').waitFor();
      expect(await lab.page.textContent('.clock-state')).toBe('over');
      expect(await lab.page.locator('.key-registered').count()).toBe(5);
    });

    it(
      'tells the story after that, with what was observed in each step, and no more memory than before',
      async () => {
        const before = await heapOf(lab.page);
        // At a speed at which machines keep their order even if others use the processors, too.
        await lab.page.getByRole('slider').press('ArrowLeft');
        await expect.poll(() => lab.page.textContent('.speed output')).toBe('10 ×');
        await lab.button('Start the story').click();
        const boot = lab.page.locator('[data-step="boot"]');
        await boot.and(lab.page.locator('[data-state="done"], [data-state="bad"]')).waitFor({ timeout: PATIENCE_MS });
        expect(await boot.locator('.observed-false').allTextContents()).toEqual([]);
        await lab.page.getByRole('button', { name: 'all five nodes boot' }).click();
        const observed = await lab.page.locator('.observed-true').allTextContents();
        expect(observed).toContain('the service is started on my-vm1');
        expect(observed.length).toBeGreaterThan(10);
        await lab.page.screenshot({ path: `${artefacts}1920-observed.png` });
        await lab.button('Stop').click();
        await lab.button('Start the story').waitFor();
        expect(lab.page.workers()).toEqual([]);
        expect(await heapOf(lab.page)).toBeLessThan(before * 1.2);
      },
      PATIENCE_MS,
    );

    it('has complained of nothing', () => {
      expect(lab.complaints).toEqual([]);
    });
  },
);
