import { SECOND, type Stamped, type Task } from '@quorate/kernel';
import { Expectations } from '../expectations.js';
import type { AnyFact, Lab, Observed, Scenario } from '../lab.js';
import { Chronicle, KINDS } from './hyperv-blog/chronicle.js';
import { shutDownInOrder } from './hyperv-blog/orderly-end.js';
import { checkVolume } from './hyperv-blog/volume-check.js';

/** What the scenario found; `ok` only if everything that was expected was observed. */
export interface IsolatedNodeResult {
  readonly ok: boolean;
  readonly failures: readonly { readonly step: string; readonly observed: Observed }[];
}

/** my-vm3. */
const LONER = 3;

const STEPS = ['boot', 'isolate', 'recover'] as const;

const TITLES = {
  boot: 'all five nodes boot and serve the page',
  isolate: 'ifconfig eth0 down on my-vm3, when the ring is lost before the heuristic fails',
  recover: 'the four nodes that were fenced are switched off and on',
} as const;

/**
 * The race of the walk-through's `ifconfig eth0 down`, lost: my-vm3 misses the ring before its heuristic has failed.
 *
 * Alone it still has the device's 4 votes beside its own, because cman drops them only 10 s after qdiskd has stopped
 * polling. So it is quorate, and fences the other four before their ring has formed. They are quorate too, but their
 * keys are gone: all they try against my-vm3 ends in a reservation conflict. A moment later its heuristic has failed and
 * qdiskd reboots it.
 *
 * Outcome: five machines run, and only my-vm3 may write to the shared file system. Nobody wrote after it was fenced; the
 * page is lost until my-vm3 is back and the four are switched off and on.
 */
export class IsolatedNode implements Scenario<IsolatedNodeResult> {
  readonly name = 'isolated-node-fences-majority';
  readonly title = 'A node without a network fences everybody else';
  readonly kinds: readonly string[] = [...KINDS, 'gfs2.withdrawn'];
  readonly #chronicle = new Chronicle();

  *script(lab: Lab): Task<IsolatedNodeResult> {
    const chronicle = this.#chronicle;
    const expectations = new Expectations(lab);
    const failures: { step: string; observed: Observed }[] = [];
    const begin = (id: (typeof STEPS)[number]): void => {
      expectations.begin(id);
      chronicle.begin(lab.now());
      lab.progress({ kind: 'step-began', id, title: TITLES[id], number: STEPS.indexOf(id) + 1, of: STEPS.length });
    };
    const end = (id: (typeof STEPS)[number]): void => {
      for (const observed of expectations.observed) if (!observed.isTrue) failures.push({ step: id, observed });
      lab.progress({ kind: 'step-ended', id });
    };
    const hasFenced = (...victims: readonly number[]): boolean =>
      victims.every((victim) => chronicle.of('fenced.fenced').some((fact) => fact.victim === victim));
    const hasRebooted = (): boolean => chronicle.of('qdisk.reboot').some(({ node }) => node === LONER);
    const isServed = (): boolean => chronicle.of('client.request').at(-1)?.isAnswered === true;

    begin('boot');
    lab.powerOn(...lab.machines);
    yield* expectations.within(180, 'the page is served', isServed);
    yield* lab.wait(30 * SECOND);
    end('boot');

    begin('isolate');
    // The next run of the heuristic is as far away as it can be, and the token as old as an idle ring lets it become.
    yield* expectations.waitUntil(10, () => chronicle.of('qdisk.heuristic').some(({ node }) => node === LONER));
    yield* lab.wait(1.1 * SECOND);
    yield* lab.exec('my-vm3', 'ifconfig eth0 down');
    yield* expectations.within(25, 'my-vm3 fences the other four', () => hasFenced(1, 2, 4, 5));
    expectations.expect('it is not rebooted before that', !hasRebooted(), 'qdiskd has rebooted it');
    yield* expectations.within(5, 'then its heuristic fails and qdiskd reboots it', hasRebooted);
    yield* lab.wait(20 * SECOND);
    expectations.expect('nobody could fence my-vm3', !hasFenced(LONER), 'it was fenced');
    yield* expectations.lines('my-vm1', 'cman_tool status', ['Nodes: 4', 'Total votes: 8']);
    yield* expectations.lines('my-vm1', 'sg_persist -i -k /dev/sdb', ['    0x63d20003']);
    end('isolate');

    begin('recover');
    const fenced = lab.machines.filter((name) => name !== 'my-vm3');
    lab.powerOff(...fenced);
    yield* lab.wait(SECOND);
    lab.powerOn(...fenced);
    yield* expectations.within(300, 'the page is served again', isServed);
    yield* lab.wait(30 * SECOND);
    end('recover');
    yield* shutDownInOrder(lab, chronicle, expectations);
    return { ok: failures.length === 0, failures };
  }

  onFact(fact: Stamped): void {
    this.#chronicle.hear(fact as AnyFact);
  }

  readonly atEnd: typeof checkVolume = checkVolume;
}
