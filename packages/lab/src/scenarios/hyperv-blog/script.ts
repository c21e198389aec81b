import { SECOND, type Task } from '@quorate/kernel';
import { Expectations } from '../../expectations.js';
import type { Lab } from '../../lab.js';
import type { Chronicle } from './chronicle.js';
import { expectedClustat } from './clustat-text.js';
import { shutDownInOrder } from './orderly-end.js';
import { REFERENCES } from './references.js';
import { STEP_IDS, STEP_TITLES, type StepId, type StoryResult, type StoryStep } from './story.js';

const SERVICE = 'my_service_group';
/** The shared file once three nodes have written to it. */
const SHARED_TEXT = 'written on my-vm1\nappended on my-vm3\nappended on my-vm5\n';

/** Between two power switches, as a hand sets them: a ring that forms is not interrupted by the next machine. */
const POWER_ON_GAP = 5 * SECOND;

/** How often clustat is asked, a quarter of a second apart. */
const CLUSTAT_TRIES = 3;

/** What the script knows of the cluster that it walks through. */
export interface Cast {
  readonly clusterName: string;
  /** Registration keys of the nodes in the order of their ids, as sg_persist prints them. */
  readonly keys: readonly string[];
  /** Wall second at the start of the run. */
  readonly wallSec: number;
}

/** The walk-through of parts 2 and 3 of the blog, step by step. */
export class Story {
  readonly #lab: Lab;
  readonly #cast: Cast;
  readonly #chronicle: Chronicle;
  readonly #expectations: Expectations;
  readonly #isLeftRunning: boolean;
  readonly #steps: StoryStep[] = [];

  constructor(lab: Lab, cast: Cast, chronicle: Chronicle, isLeftRunning: boolean) {
    this.#isLeftRunning = isLeftRunning;
    this.#lab = lab;
    this.#cast = cast;
    this.#chronicle = chronicle;
    this.#expectations = new Expectations(lab);
  }

  *run(): Task<StoryResult> {
    yield* this.#step('boot', () => this.#boot());
    yield* this.#step('shared-files', () => this.#sharedFiles());
    yield* this.#step('pause-my-vm5', () => this.#pause());
    yield* this.#step('resume-my-vm5', () => this.#resume());
    yield* this.#step('eth0-down-my-vm3', () => this.#interfaceDown());
    yield* this.#step('shutdown-my-vm1', () => this.#shutdown());
    yield* this.#step('poweroff-my-vm2', () => this.#powerOff(['my-vm2'], 'my-vm3'));
    yield* this.#step('poweroff-my-vm3-my-vm4', () => this.#lastOneStanding());
    yield* this.#step('poweron-my-vm1', () => this.#failback());
    yield* this.#step('poweron-rest', () => this.#powerOnRest());
    if (!this.#isLeftRunning) {
      yield* this.#orderlyEnd();
      yield* this.#lab.wait(5 * SECOND);
    }
    const failures = this.#steps.flatMap(({ id, observed }) =>
      observed.filter(({ isTrue }) => !isTrue).map((each) => ({ step: id, observed: each })),
    );
    return { ok: failures.length === 0, steps: this.#steps, failures };
  }

  // ── the steps ──────────────────────────────────────────────────────────────────────────────────────────────────

  *#boot(): Task {
    const { machines } = this.#lab;
    this.#lab.powerOn(...machines);
    yield* this.#expectations.within(180, 'the service is started on my-vm1', () => this.#isOwnedBy('my-vm1'));
    yield* this.#expectations.within(60, 'the page is served', () => this.#isAnswered());
    yield* this.#expectAllOnline(machines);
    yield* this.#expectations.lines('my-vm1', 'cman_tool status', [
      'Cluster Id: 25554',
      'Nodes: 5',
      'Expected votes: 9',
      'Quorum device votes: 4',
      'Total votes: 9',
      'Quorum: 5  ',
      'Multicast addresses: 239.192.99.54 ',
    ]);
    yield* this.#expectKeys('my-vm1', machines);
    yield* this.#expectations.lines('my-vm1', 'sg_persist -i -r /dev/sdb', [
      '    scope: LU_SCOPE,  type: Write Exclusive, registrants only',
    ]);
    yield* this.#expectations.lines('my-vm1', 'mkqdisk -L', ['/dev/sdc1:', '\tLabel:                myqdisk']);
  }

  *#sharedFiles(): Task {
    yield* this.#lab.exec('my-vm1', "echo 'written on my-vm1' > /mydata/a.txt");
    yield* this.#expectations.output('my-vm3', 'cat /mydata/a.txt', 'written on my-vm1\n');
    // my-vm5 writes too, so that there is something in its journal when it is paused.
    for (const machine of ['my-vm3', 'my-vm5']) {
      yield* this.#lab.exec(machine, `echo 'appended on ${machine}' >> /mydata/a.txt`);
    }
    for (const machine of this.#lab.machines)
      yield* this.#expectations.output(machine, 'cat /mydata/a.txt', SHARED_TEXT);
  }

  *#pause(): Task {
    this.#lab.pause('my-vm5');
    yield* this.#expectations.within(40, 'my-vm5 is fenced', () => this.#isFenced(5));
    yield* this.#expectations.within(20, 'another node replays its journal', () => this.#hasReplayed());
    const others = this.#lab.machines.filter((name) => name !== 'my-vm5');
    yield* this.#expectKeys('my-vm1', others);
    yield* this.#expectAllOnline(others);
    yield* this.#expectations.lines('my-vm1', 'cman_tool status', ['Total votes: 8', 'Quorum: 5  ']);
    yield* this.#expectations.output('my-vm2', 'cat /mydata/a.txt', SHARED_TEXT);
  }

  *#resume(): Task {
    const resumedAt = this.#lab.now();
    this.#lab.resume('my-vm5');
    yield* this.#expectations.within(5, 'qdiskd on my-vm5 reads EVICT and reboots the machine', () =>
      this.#hasRebooted(5),
    );
    const after = (this.#lab.now() - resumedAt) / SECOND;
    if (this.#isEvictedAgain(5)) {
      // Paused after it had read its own block and before it wrote it, qdiskd wrote over EVICT first. What it takes then is another
      // cycle of the others and one of its own, and meanwhile corosync lets anybody in.
      this.#expectations.expect('evicted again, it did so within 4 s', after <= 4, `${after.toFixed(2)} s`);
    } else {
      this.#expectations.expect('it did so within 2 s', after <= 2, `${after.toFixed(2)} s`);
      this.#expectations.expect(
        'it was not let in again before that',
        !this.#isSeenAsMember(5),
        'a ring with my-vm5 in it',
      );
    }
    yield* this.#expectAllOnline(this.#lab.machines);
    yield* this.#expectKeys('my-vm1', this.#lab.machines);
  }

  *#interfaceDown(): Task {
    // Two clocks race here: the heuristic needs 20 s from its next run, the ring 22 s less the age of its last token.
    // The run begins half a second before the heuristic's next one, and the ring has just been busy, so its token is new.
    yield* this.#expectations.waitUntil(10, () =>
      this.#chronicle.of('qdisk.heuristic').some(({ node, isUp }) => node === 3 && isUp === true),
    );
    yield* this.#lab.wait(0.4 * SECOND);
    yield* this.#lab.exec('my-vm1', 'cman_tool expected -e 9');
    yield* this.#lab.wait(0.1 * SECOND);
    yield* this.#lab.exec('my-vm3', 'ifconfig eth0 down');
    yield* this.#expectations.within(25, 'the heuristic of my-vm3 fails and qdiskd reboots it', () =>
      this.#hasRebooted(3),
    );
    this.#expectations.expect(
      'it had not fenced anybody before that',
      this.#chronicle.of('fenced.fencing-started').every(({ node }) => node !== 3),
      'my-vm3 fences',
    );
    yield* this.#expectations.within(15, 'the others fence my-vm3', () => this.#isFenced(3));
    yield* this.#expectAllOnline(this.#lab.machines);
    yield* this.#expectKeys('my-vm1', this.#lab.machines);
  }

  *#shutdown(): Task {
    yield* this.#lab.exec('my-vm1', 'shutdown -h now');
    yield* this.#expectTakeover('my-vm2', 40);
    yield* this.#expectations.within(60, 'my-vm1 is off', () => this.#chronicle.machineStates.get(1) === 'off');
    yield* this.#expectations.within(5, 'my-vm1 has left the cluster', () => !this.#lastRing().includes(1));
    this.#expectations.expect(
      'nobody was fenced',
      this.#chronicle.of('fenced.fenced').length === 0,
      'a node was fenced',
    );
    yield* this.#expectHttpd('my-vm2');
  }

  *#powerOff(victims: readonly string[], heir: string): Task {
    this.#lab.powerOff(...victims);
    yield* this.#expectTakeover(heir, 60);
    for (const victim of victims) {
      this.#expectations.expect(`${victim} was fenced`, this.#isFenced(this.#idOf(victim)), 'it was not');
    }
    yield* this.#expectHttpd(heir);
  }

  *#lastOneStanding(): Task {
    yield* this.#powerOff(['my-vm3', 'my-vm4'], 'my-vm5');
    yield* this.#expectations.lines('my-vm5', 'cman_tool status', ['Nodes: 1', 'Total votes: 5', 'Quorum: 5  ']);
  }

  *#failback(): Task {
    this.#lab.powerOn('my-vm1');
    yield* this.#expectTakeover('my-vm1', 150);
    yield* this.#expectHttpd('my-vm1');
  }

  *#powerOnRest(): Task {
    for (const machine of ['my-vm2', 'my-vm3', 'my-vm4']) {
      this.#lab.powerOn(machine);
      yield* this.#lab.wait(POWER_ON_GAP);
    }
    yield* this.#expectAllOnline(this.#lab.machines);
    this.#expectations.expect('the service stays on my-vm1', this.#isOwnedBy('my-vm1'), `owner ${this.#ownerName()}`);
    yield* this.#expectKeys('my-vm1', this.#lab.machines);
  }

  /** Outside the figures: everything is stopped in order, so that the file system is clean. */
  *#orderlyEnd(): Task {
    yield* this.#lab.exec('my-vm1', 'rm /mydata/a.txt');
    yield* shutDownInOrder(this.#lab, this.#chronicle, this.#expectations);
  }

  // ── what is expected ───────────────────────────────────────────────────────────────────────────────────────────

  *#step(id: StepId, act: () => Task): Task {
    this.#expectations.begin(id);
    this.#chronicle.begin(this.#lab.now());
    const ownerBefore = this.#ownerName();
    this.#lab.progress({
      kind: 'step-began',
      id,
      title: STEP_TITLES[id],
      number: STEP_IDS.indexOf(id) + 1,
      of: STEP_IDS.length,
    });
    yield* act();
    const clustat = yield* this.#expectClustat();
    this.#steps.push({
      id,
      title: STEP_TITLES[id],
      ownerBefore,
      ownerAfter: this.#ownerName(),
      outageSeconds: this.#outageSeconds(),
      requests: this.#chronicle.requests(),
      // What nobody served yet was not lost.
      phases: ownerBefore === null ? [] : this.#chronicle.phases(),
      clustat,
      observed: this.#expectations.observed,
      reference: REFERENCES[id],
      startedAt: this.#chronicle.startedAt,
      endedAt: this.#lab.now(),
    });
    this.#lab.progress({ kind: 'step-ended', id });
  }

  *#expectTakeover(machine: string, seconds: number): Task {
    yield* this.#expectations.within(seconds, `the service is started on ${machine}`, () => this.#isOwnedBy(machine));
    yield* this.#expectations.within(20, 'the page is served again', () => this.#isAnswered());
  }

  *#expectHttpd(machine: string): Task {
    const done = yield* this.#lab.exec(machine, 'ps aux | grep httpd');
    const isRunning = done?.output.includes('/usr/sbin/httpd -Dmy_apache') === true;
    this.#expectations.expect(`httpd runs on ${machine}`, isRunning, done?.output ?? 'no answer');
  }

  /** The keys on the disk are exactly those of these machines, in whatever order. */
  *#expectKeys(machine: string, registered: readonly string[]): Task {
    const done = yield* this.#lab.exec(machine, 'sg_persist -i -k /dev/sdb');
    const keys = (done?.output.match(/^ {4}0x[0-9a-f]+$/gm) ?? []).map((line) => line.trim()).sort();
    const expected = registered.map((name) => this.#cast.keys[this.#idOf(name) - 1]!).sort();
    const isEqual = keys.join(' ') === expected.join(' ');
    this.#expectations.expect(
      `keys on the disk: ${registered.map((name) => name.slice(3)).join(' ')}`,
      isEqual,
      keys.join(' '),
    );
  }

  /** Everybody named runs rgmanager, as clustat on the service's owner shows it. */
  *#expectAllOnline(machines: readonly string[]): Task {
    const until = this.#lab.now() + 150 * SECOND;
    let output = '';
    while (this.#lab.now() < until) {
      const done = yield* this.#lab.exec(this.#ownerName() ?? machines[0]!, 'clustat');
      output = done?.output ?? '';
      if (machines.every((name) => isOnline(output, name))) break;
      yield* this.#lab.wait(SECOND);
    }
    const missing = machines.filter((name) => !isOnline(output, name));
    this.#expectations.expect(
      `online: ${machines.map((name) => name.slice(3)).join(' ')}`,
      missing.length === 0,
      missing.join(' '),
    );
  }

  /** clustat on the owner has exactly the bytes that the original would print. */
  *#expectClustat(): Task<string> {
    const owner = this.#ownerName() ?? 'my-vm1';
    const members = this.#lab.machines.map((name, i) => ({
      name,
      isOnline: this.#chronicle.machineStates.get(i + 1) === 'up',
    }));
    const { clusterName } = this.#cast;
    let output = '';
    let isExact = false;
    // A record is in force once all have voted; that they did, this node hears a message later.
    for (let asked = 0; asked < CLUSTAT_TRIES && !isExact; asked++) {
      if (asked > 0) yield* this.#lab.wait(SECOND / 4);
      const done = yield* this.#lab.exec(owner, 'clustat');
      output = done?.output ?? '';
      const wallSec = this.#cast.wallSec + Math.floor(this.#lab.now() / SECOND);
      // A thread's clock may have reached the next second by the time its answer is here.
      isExact = [wallSec, wallSec - 1].some(
        (sec) =>
          output === expectedClustat({ clusterName, wallSec: sec, local: owner, members, service: SERVICE, owner }),
      );
    }
    this.#expectations.expect('clustat prints what the original prints', isExact, output);
    return output;
  }

  // ── what was heard ─────────────────────────────────────────────────────────────────────────────────────────────

  #idOf(machine: string): number {
    return this.#lab.machines.indexOf(machine) + 1;
  }

  #ownerName(): string | null {
    return this.#lab.machines[this.#chronicle.owner - 1] ?? null;
  }

  #isOwnedBy(machine: string): boolean {
    return this.#chronicle.isServed && this.#ownerName() === machine;
  }

  /** The last request was answered, and it came after the last failed one. */
  #isAnswered(): boolean {
    return this.#chronicle.of('client.request').at(-1)?.isAnswered === true;
  }

  #isFenced(id: number): boolean {
    return this.#chronicle.of('fenced.fenced').some(({ victim }) => victim === id);
  }

  #hasReplayed(): boolean {
    return this.#chronicle
      .of('gfs2.journal-recovered')
      .some(({ result, wasDirty }) => result === 'done' && wasDirty === true);
  }

  #hasRebooted(id: number): boolean {
    return this.#chronicle.of('qdisk.reboot').some(({ node }) => node === id);
  }

  /** It wrote to the quorum disk after it had been evicted. */
  #isEvictedAgain(id: number): boolean {
    return this.#chronicle.of('qdisk.evicted').some(({ peer, isUndead }) => peer === id && isUndead === true);
  }

  #isSeenAsMember(id: number): boolean {
    return this.#chronicle
      .of('totem.configuration')
      .some(
        ({ node, type, members }) => node !== id && type === 'regular' && (members as readonly number[]).includes(id),
      );
  }

  /** Members of the newest ring that anybody told of in this step. */
  #lastRing(): readonly number[] {
    const rings = this.#chronicle.of('totem.configuration').filter(({ type }) => type === 'regular');
    return (rings.at(-1)?.members as readonly number[] | undefined) ?? [1];
  }

  #outageSeconds(): number {
    const outage = this.#chronicle.outage();
    return outage === undefined ? 0 : (outage.to - outage.from) / SECOND;
  }
}

function isOnline(clustat: string, name: string): boolean {
  return clustat.split('\n').some((line) => line.startsWith(` ${name} `) && /Online.*rgmanager/.test(line));
}
