import { expect, it } from 'vitest';
import { exportSvg } from '../src/index.js';
import { failover } from './failover-trace.js';

const picture = (window?: { readonly from: number; readonly to: number }): string =>
  [...exportSvg(failover(), window === undefined ? {} : { window })].join('');

/** Names of the elements that are open when each tag has been read; throws at one that closes another. */
function checkXml(text: string): void {
  const open: string[] = [];
  for (const [tag, slash, name, self] of text.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (slash === '/') {
      if (open.pop() !== name) throw new Error(`${tag} closes another`);
    } else if (self !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
  expect(text.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!#\d+;)/);
}

it('is well formed, whatever names there are', () => {
  checkXml(picture());
  expect(picture()).toContain('get 1: HTTP/1.0 200 &#34;OK&#34;');
});

it('shows the outage and its phases, and on each machine what went on when', () => {
  const titles = [...picture().matchAll(/<title>(.*?)<\/title>/g)].map(([, title]) => title);
  expect(titles).toContain('no page: 7.0 s, 4.000 s to 11.000 s, 7.000 s');
  expect(titles.filter((title) => /^(fencing|start|ARP), /.test(title!))).toHaveLength(3);
  expect(titles).toContain('machine: up, 0.000 s to 3.000 s, 3.000 s');
  expect(titles).toContain('service:web, 10.000 s to the end');
  expect(titles).toContain('fenced: to be fenced, 6.000 s to 8.000 s, 2.000 s');
});

it('begins and ends with what it is told to show', () => {
  const part = picture({ from: 2.5e9, to: 3.2e9 });
  expect(part).toContain('2.500 to 3.200 s');
  expect(part).toContain('machine: up, 0.000 s to 3.000 s, 3.000 s');
  expect(part).not.toContain('no page');
});
