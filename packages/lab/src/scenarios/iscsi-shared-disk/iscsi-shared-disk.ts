import { fork, join, type ProgramResult, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { Status } from '@quorate/scsi';
import { Expectations } from '../../expectations.js';
import type { AnyFact, Lab, Observed, Scenario } from '../../lab.js';
import { volumeCheck } from '../../volume-check.js';
import { Chronicle } from '../hyperv-blog/chronicle.js';
import { shutDownInOrder } from '../hyperv-blog/orderly-end.js';
import { VOLUME } from './disks.js';
import { DIRECTORY, PORTAL, TARGET } from './topology.js';

/** What the scenario found; `ok` only if everything that was expected was observed. */
export interface IscsiSharedDiskResult {
  readonly ok: boolean;
  readonly failures: readonly { readonly step: string; readonly observed: Observed }[];
}

const KINDS: readonly string[] = [
  'node.state',
  'node.iscsi-session',
  'iscsi.logged-in',
  'scsi.command-ended',
  'scsi.reservation-changed',
  'fenced.fenced',
  'gfs2.mounted',
  'gfs2.journal-recovered',
];

const STEPS = ['boot', 'share', 'away', 'cut', 'heal', 'return'] as const;
type Step = (typeof STEPS)[number];

const TITLES: { readonly [step in Step]: string } = {
  boot: 'three nodes log in to the storage host, join and mount',
  share: 'what one node writes the others read',
  away: 'the way from node2 to the storage host is away for 20 s: what waits gets through',
  cut: 'the way from node3 to the storage host is cut, and it is thrown out: it is fenced on the target',
  heal: 'the way is there again: what node3 still had to write is refused',
  return: 'node3 is reset and is back',
};

/** node2, whose storage is away for a while, and node3, whose storage stays away. */
const PATIENT = 2;
const VICTIM = 3;
const OTHERS = [1, 2];

/**
 * A cluster whose shared disks are on another machine, over iSCSI. Nodes lose their storage and nothing else.
 *
 * Their commands wait for their session, so nothing on them hears of an error; their qdiskd tells the others that a read hangs, which
 * keeps them from evicting it. One of them is away for a short time only, and what has waited comes to its end. The other is thrown
 * out by somebody. Then fence_scsi takes its key away on the target, the others replay its journal
 * and go on. When the way is there again its session is reinstated, and all that has waited is sent: the target answers with
 * RESERVATION CONFLICT.
 */
export class IscsiSharedDisk implements Scenario<IscsiSharedDiskResult> {
  readonly name = 'iscsi-shared-disk';
  readonly title = 'A shared disk on another machine, and a node that loses its way there';
  readonly kinds: readonly string[] = KINDS;
  readonly #chronicle = new Chronicle();

  *script(lab: Lab): Task<IscsiSharedDiskResult> {
    const chronicle = this.#chronicle;
    const expectations = new Expectations(lab);
    const failures: { step: string; observed: Observed }[] = [];
    const step = function* (id: Step, work: () => Task): Task {
      expectations.begin(id);
      chronicle.begin(lab.now());
      lab.progress({ kind: 'step-began', id, title: TITLES[id], number: STEPS.indexOf(id) + 1, of: STEPS.length });
      yield* work();
      for (const observed of expectations.observed) if (!observed.isTrue) failures.push({ step: id, observed });
      lab.progress({ kind: 'step-ended', id });
    };
    yield* step('boot', () => this.#boot(lab, expectations));
    yield* step('share', () => this.#share(lab, expectations));
    yield* step('away', () => this.#away(lab, expectations));
    yield* step('cut', () => this.#cut(lab, expectations));
    yield* step('heal', () => this.#heal(lab, expectations));
    yield* step('return', () => this.#return(lab, expectations));
    yield* shutDownInOrder(lab, chronicle, expectations);
    return { ok: failures.length === 0, failures };
  }

  onFact(fact: Stamped): void {
    this.#chronicle.hear(fact as AnyFact);
  }

  readonly atEnd: ReturnType<typeof volumeCheck> = volumeCheck(VOLUME);

  *#boot(lab: Lab, expectations: Expectations): Task {
    lab.powerOn(...lab.machines);
    yield* expectations.within(180, 'all nodes have mounted', () => this.#mounted(1, 2, 3));
    for (const machine of lab.machines) {
      yield* expectations.output(machine, 'iscsiadm -m session', `tcp: [1] ${PORTAL} ${TARGET} (non-flash)\n`);
    }
    yield* this.#expectKeys(expectations, lab, [1, 2, 3]);
  }

  *#share(lab: Lab, expectations: Expectations): Task {
    yield* lab.exec('node1', `echo written on node1 > ${DIRECTORY}/one`);
    yield* expectations.output('node2', `cat ${DIRECTORY}/one`, 'written on node1\n');
    yield* expectations.output('node3', `cat ${DIRECTORY}/one`, 'written on node1\n');
  }

  *#away(lab: Lab, expectations: Expectations): Task {
    yield* lab.exec('node2', `echo it has waited > ${DIRECTORY}/patient`);
    lab.partition(['node2'], ['storage']);
    const synced = yield* fork(lab.exec('node2', `sync ${DIRECTORY}/patient`));
    yield* lab.wait(20 * SECOND);
    expectations.expect('its session is lost', this.#session(PATIENT, 'lost'), 'it is not');
    lab.heal();
    yield* expectations.within(30, 'its session is back', () => this.#session(PATIENT, 'recovered'));
    const done = (yield* join(synced)) as ProgramResult | undefined;
    expectations.expect('sync ends well on node2', done?.status === 0, done?.errors ?? 'no answer');
    yield* expectations.output('node1', `cat ${DIRECTORY}/patient`, 'it has waited\n');
  }

  *#cut(lab: Lab, expectations: Expectations): Task {
    yield* lab.exec('node3', `echo written too late > ${DIRECTORY}/late`);
    lab.partition(['node3'], ['storage']);
    // Nobody waits for its end: it has none.
    yield* fork(lab.exec('node3', `sync ${DIRECTORY}/late`));
    yield* expectations.within(15, 'node3 misses an answer to its ping', () => this.#session(VICTIM, 'lost'));
    const state = yield* lab.exec('node3', 'iscsiadm -m session -P 1');
    const line = 'iSCSI Session State: FAILED';
    expectations.expect(`node3: ${line}`, state?.output.includes(line) === true, state?.output ?? 'no answer');
    yield* lab.exec('node1', 'cman_tool kill -n node3');
    yield* expectations.within(60, 'node3 is fenced', () =>
      this.#has('fenced.fenced', ({ victim }) => victim === VICTIM),
    );
    yield* expectations.within(30, 'its journal is replayed', () => this.#has('gfs2.journal-recovered', () => true));
    yield* this.#expectKeys(expectations, lab, OTHERS);
    yield* lab.exec('node1', `echo still there > ${DIRECTORY}/two`);
    yield* expectations.output('node2', `cat ${DIRECTORY}/two`, 'still there\n');
  }

  *#heal(lab: Lab, expectations: Expectations): Task {
    lab.heal();
    yield* expectations.within(30, 'the session of node3 is back', () => this.#session(VICTIM, 'recovered'));
    const isRefused = (): boolean =>
      this.#has('scsi.command-ended', ({ nexus, status }) => nexus === VICTIM && status === Status.reservationConflict);
    yield* expectations.within(10, 'the target refuses what it writes', isRefused);
    // The name may be there, if its journal entry was written before; what stood in the file is not.
    const late = yield* lab.exec('node1', `cat ${DIRECTORY}/late`);
    expectations.expect('nothing of it is on the disk', late?.output === '', late?.output ?? 'no answer');
  }

  *#return(lab: Lab, expectations: Expectations): Task {
    lab.powerOff('node3');
    yield* lab.wait(SECOND);
    lab.powerOn('node3');
    yield* expectations.within(180, 'node3 has mounted', () => this.#mounted(VICTIM));
    yield* this.#expectKeys(expectations, lab, [1, 2, 3]);
    yield* expectations.output('node3', `cat ${DIRECTORY}/two`, 'still there\n');
    yield* lab.exec('node3', `echo back > ${DIRECTORY}/three`);
    yield* expectations.output('node1', `cat ${DIRECTORY}/three`, 'back\n');
  }

  #has(kind: string, accepts: (fact: AnyFact) => boolean): boolean {
    return this.#chronicle.of(kind).some(accepts);
  }

  /** Whether the session of that node has come to that state. */
  #session(id: number, expected: string): boolean {
    return this.#has('node.iscsi-session', ({ node, state }) => node === id && state === expected);
  }

  #mounted(...nodes: readonly number[]): boolean {
    return nodes.every((id) => this.#has('gfs2.mounted', ({ node }) => node === id));
  }

  /** fence_scsi's keys end in the id of their node. */
  *#expectKeys(expectations: Expectations, lab: Lab, nodes: readonly number[]): Task {
    const done = yield* lab.exec('node1', 'sg_persist -i -k /dev/sdb');
    const keys = [...(done?.output ?? '').matchAll(/^ {4}0x([0-9a-f]+)$/gm)].map(([, key]) =>
      Number.parseInt(key!.slice(-4), 16),
    );
    const isSame = [...keys].sort().join() === nodes.join();
    expectations.expect(`the disk has the keys of nodes ${nodes.join(', ')}`, isSame, done?.output ?? 'no answer');
  }
}
