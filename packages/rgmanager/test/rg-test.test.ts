import { expect, it } from 'vitest';
import { recordedRules } from '../src/conformance/recorded-files.js';
import { RgTest } from '../src/index.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

/** What is expected here is what the original's `rg_test` prints. */
const rgTest = new RgTest(recordedRules(vectors));

function rm(inside: string): ReturnType<typeof parseConf> {
  return parseConf(`<cluster name="t" config_version="1"><rm>${inside}</rm></cluster>`);
}

it('of two elements in resource-defaults for one type, the first with an attribute gives it', () => {
  const defaults = '<ip monitor_link="0"/><ip monitor_link="no" nfslock="5"/>';
  expect(rgTest.list(rm(`<resource-defaults>${defaults}</resource-defaults>`))).toMatch(
    /^changing default for ip attr monitor_link from 1 to 0\nchanging default for ip attr nfslock from service%nfslock to 5\n=== /,
  );
});

it('delta tells the defaults of the new configuration as changes of the old ones, and does not use them', () => {
  const conf = (link: string): ReturnType<typeof parseConf> =>
    rm(
      `<resource-defaults><ip monitor_link="${link}"/></resource-defaults>` +
        '<service name="s"><ip address="10.0.0.1"/></service>',
    );
  const delta = rgTest.delta(conf('0'), conf('yes'));
  expect(delta).toMatch(
    /^changing default for ip attr monitor_link from 1 to 0\nchanging default for ip attr monitor_link from 0 to yes\n=== Old/,
  );
  expect(delta.match(/monitor_link = \S+/g)).toEqual([
    'monitor_link = 0',
    'monitor_link = 1',
    'monitor_link = "0";',
    'monitor_link = "1";',
  ]);
});

it('an operation on what is no top-level service reaches it wherever it is used', () => {
  const conf = rm('<service name="s"><vm name="inner"/></service><service name="t"/>');
  expect(rgTest.operate(conf, 'start', 'vm', 'inner').text).toBe(
    'Starting inner...\n[start] vm:inner\nStart of inner complete\n',
  );
});

it('a walk of a phase begins at its own top-level node and goes round', () => {
  const before = rm('<service name="s"/><service name="t"/>');
  const after = rm(
    '<resources><script name="x" file="/x"/></resources>' +
      '<service name="s"><script ref="x"><script name="p" file="/p"/></script></service><script ref="x"/>' +
      '<service name="t"><script ref="x"><script name="q" file="/q"/></script></service>',
  );
  // Stops go backwards: from the one before script:x, which is in s, round to script:x itself.
  const delta = rgTest.delta(before, after);
  expect(delta.slice(delta.indexOf('=== Operations (up-phase)'))).toBe(`=== Operations (up-phase) ===
Node script:x - CONDSTART
[start] script:x
[start] script:p
[init] [stop] script:p
[stop] script:x
[stop] script:q
[stop] script:x
[stop] script:x
Node script:x - CONDSTART
[start] script:x
[start] script:q
`);
});
