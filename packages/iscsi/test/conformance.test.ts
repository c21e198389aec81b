import { SparseStore } from '@quorate/scsi';
import { expect } from 'vitest';
import { IscsiServer } from '../src/node/index.js';
import { itWith, output } from './oracle.js';
import { TARGET } from './rig.js';

/** Tests of the family ALL that run and pass on one thin unit; those that need commands which the unit lacks skip. */
const LEAST_PASSED = 79;

/** Tests that fail, by suite and name, and why they may. */
const MAY_FAIL: ReadonlySet<string> = new Set([
  // Wants MODE SELECT of the software write protect bit.
  'Sanitize.Readonly',
]);

interface Tally {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Reads what `iscsi-test-cu -v` prints. A test that says `[SKIPPED]` counts as skipped, though the tool calls it passed.
 */
function tallyOf(text: string): Tally {
  const passed: string[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];
  for (const suite of text.split(/^Suite: /m).slice(1)) {
    const name = /^\S+/.exec(suite)![0];
    for (const test of suite.split(/^ {2}Test: /m).slice(1)) {
      const [, title, rest] = /^(.*?) \.\.\.(.*)$/s.exec(test)!;
      const ending = /^(passed|FAILED)/m.exec(rest!)?.[1];
      const list = ending !== 'passed' ? failed : rest!.split(/^passed/m)[0]!.includes('[SKIPPED]') ? skipped : passed;
      list.push(`${name}.${title}`);
    }
  }
  return { passed, failed, skipped };
}

itWith(['iscsi-test-cu'], 'the test suite of libiscsi', async () => {
  const store = new SparseStore({ blocks: 131_072 });
  const drops: string[] = [];
  const server = new IscsiServer({
    port: 0,
    targets: [{ name: TARGET, logicalUnits: [{ lun: 0, serial: 'SUITE-1', store, isThin: true }] }],
    observe: (fact) => {
      if (fact.kind === 'iscsi.connection-ended') drops.push(fact.reason);
    },
  });
  const { port } = await server.listen();
  const url = `iscsi://127.0.0.1:${port}/${TARGET}/0`;
  const text = await output('iscsi-test-cu', '--dataloss', '--allow-sanitize', '-v', '--test=ALL', url, url);
  await server.close();
  const { passed, failed, skipped } = tallyOf(text);
  expect(passed.length + failed.length + skipped.length).toBe(230);
  expect(failed.filter((test) => !MAY_FAIL.has(test))).toEqual([]);
  expect(passed.length).toBeGreaterThanOrEqual(LEAST_PASSED);
  // The protocol itself is complete: of its own suites nothing is skipped but what needs a missing command.
  const ours = /^(iSCSIcmdsn|iSCSIdatasn|iSCSITMF|iSCSISendTargets|iSCSINop)/;
  expect(skipped.filter((test) => ours.test(test))).toEqual([]);
  expect(
    drops.filter((reason) => !['logout', 'peer-closed', 'session-reinstated', 'cold-reset'].includes(reason)),
  ).toEqual([]);
});
