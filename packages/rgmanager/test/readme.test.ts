import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ServiceState } from '../src/index.js';
import { simulate, type WhatIfEvent } from '../src/what-if/index.js';
import { elsewhere } from './event-script-example.js';
import { example } from './example.js';
import { parseConf } from './parse-conf.js';

it('the README quotes the example, and what it prints', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('./example.ts', import.meta.url), 'utf8');
  expect(readme).toContain(source.replace('../src/index.js', '@quorate/rgmanager'));
  expect(readme).toContain(example().join('\n'));
});

it('the README quotes an event script, and it does what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('./event-script-example.ts', import.meta.url), 'utf8');
  expect(readme).toContain(source.replace('../src/index.js', '@quorate/rgmanager'));
  const [events] = /<rm central_processing.*?<\/events>/s.exec(readme)!;
  const nodes = [1, 2].map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  const service = '<service name="web"><script name="s" file="/etc/init.d/s"/></service>';
  const conf = parseConf(`<cluster name="c"><clusternodes>${nodes}</clusternodes>${events}${service}</rm></cluster>`);
  const fails: WhatIfEvent = { kind: 'resource-failed', resource: 'script:s' };
  const down: WhatIfEvent = { kind: 'node-down', node: 1 };
  const scripts = new Map([['/usr/share/cluster/elsewhere', elsewhere]]);
  const twoNodes = simulate(conf, [fails], { eventScripts: scripts });
  const [before, after] = twoNodes.map(({ services }) => services[0]!);
  expect([before!.state, after!.state]).toEqual([ServiceState.STARTED, ServiceState.STARTED]);
  expect(after!.owner).not.toBe(before!.owner);
  const lonely = parseConf(
    `<cluster name="c"><cman two_node="1" expected_votes="1"/><clusternodes>${nodes}</clusternodes>${events}${service}</rm></cluster>`,
  );
  expect(simulate(lonely, [down, fails], { eventScripts: scripts }).at(-1)!.services[0]!.state).toBe(
    ServiceState.DISABLED,
  );
});
