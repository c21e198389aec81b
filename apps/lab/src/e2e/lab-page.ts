import type { Browser, Locator, Page } from 'playwright-core';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The lab in a tab, in the terms of its user. */
export class LabPage {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** `query`: `?start=free&speed=10`. */
  static async open(browser: Browser, url: string, query: string, size: Size): Promise<LabPage> {
    const lab = new LabPage(await browser.newPage({ viewport: size }));
    await lab.page.goto(`${url}${query}`);
    return lab;
  }

  toggle(machine: string, which: 'power' | 'run' | 'network cable' | 'disk cable'): Locator {
    return this.page.getByRole('switch', { name: `${machine} ${which}` });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  display(machine: string): Locator {
    return this.page.getByLabel(`${machine} display`);
  }

  /** Nodes of the largest ring: `1 2 3`. */
  ring(): Promise<string | null> {
    return this.page.locator('svg[data-ring]').getAttribute('data-ring');
  }

  /** Waits until the largest ring has exactly these nodes. */
  async waitForRing(members: string, timeoutMs: number): Promise<void> {
    await this.page.locator(`svg[data-ring="${members}"]`).waitFor({ timeout: timeoutMs });
  }

  /** Waits until the page that the cluster serves comes, or is away. */
  async waitForPage(state: 'served' | 'away', timeoutMs: number): Promise<void> {
    await this.page.locator(`[data-page="${state}"]`).waitFor({ timeout: timeoutMs });
  }

  /** Types a command on a machine, and waits until a line of the log has that text. */
  async type(machine: string, command: string, expected: string, timeoutMs: number): Promise<string> {
    await this.page.locator('.filters').getByRole('button', { name: machine, exact: true }).click();
    const prompt = this.page.getByRole('combobox', { name: `root@${machine}` });
    await prompt.fill(command);
    await prompt.press('Enter');
    await this.page.locator('.line-printed', { hasText: expected }).last().waitFor({ timeout: timeoutMs });
    return (await this.page.locator('.line-printed .line-text').allTextContents()).join('\n');
  }

  /** The lines of the log that the page shows under each of its filters. */
  async log(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const filter of await this.page.locator('.filters').getByRole('button').all()) {
      await filter.click();
      lines.push(`── ${await filter.textContent()}`, ...(await this.page.locator('.journal .line').allInnerTexts()));
    }
    return lines;
  }

  /** Cluster seconds. */
  async clock(): Promise<number> {
    const [minutes = '0', seconds = '0'] = ((await this.page.textContent('.clock-time')) ?? '').split(':');
    return Number(minutes) * 60 + Number(seconds);
  }

  /** Rules that the run has broken. */
  async violations(): Promise<number> {
    return Number(await this.page.locator('[data-violations]').getAttribute('data-violations'));
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
