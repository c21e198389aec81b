import { SECOND, type Task } from '@quorate/kernel';
import type { AnyFact } from '../../lab.js';
import type { Chronicle } from '../hyperv-blog/chronicle.js';
import { CLUSTER_CONF } from '../hyperv-blog/cluster-conf.js';
import type { PartitionCase, PartitionStage } from './partition-scenario.js';

const MASTER = 1;
const OTHERS = [2, 3, 4, 5];
const names = (nodes: readonly number[]): readonly string[] => nodes.map((node) => `my-vm${node}`);

/** `quorum_dev_poll` of the walk-through: the token. */
const DEVICE_POLL_SEC = 10;
/** A token that is lost while it is held, and the consensus: when the sides have rings of their own. */
const RING_SEC = 25;

function changed(before: string, after: string): string {
  if (!CLUSTER_CONF.includes(before)) throw new RangeError(`not in the walk-through's cluster.conf: ${before}`);
  return CLUSTER_CONF.replace(before, after);
}

/** The file with a `delay` for whoever fences one of these nodes. */
function delayed(victims: readonly number[]): string {
  const device = '<device name="scsi_fence" devices="/dev/sdb"/>';
  return victims.reduce((text, victim) => {
    const at = text.indexOf(device, text.indexOf(`<clusternode name="my-vm${victim}"`));
    return `${text.slice(0, at)}${device.replace('/>', ' delay="15"/>')}${text.slice(at + device.length)}`;
  }, CLUSTER_CONF);
}

function hasFenced(chronicle: Chronicle, ...victims: readonly number[]): boolean {
  return victims.every((victim) => chronicle.of('fenced.fenced').some((fact) => fact.victim === victim));
}

function attempts(chronicle: Chronicle, isOne: (fact: AnyFact) => boolean): number {
  return chronicle.of('fenced.fencing-started').filter(isOne).length;
}

/** The network of my-vm1, the master of the quorum disk, is cut from that of the others; all still reach the gateway. */
function* cutMasterOff({ lab, expectations, watch }: PartitionStage): Task {
  lab.partition(names([MASTER]), names(OTHERS));
  yield* expectations.within(RING_SEC, 'both sides are quorate', () => watch.isSplit);
}

/** The votes of the device end on the side that the master does not grant them to. */
function* windowCloses({ expectations, watch }: PartitionStage): Task {
  const isOver = (): boolean => OTHERS.every((node) => !watch.isQuorate(node));
  yield* expectations.within(DEVICE_POLL_SEC + 2, 'the four lose quorum when the device lapses', isOver);
  const sec = watch.splitFor / SECOND;
  const isAsLong = sec > DEVICE_POLL_SEC - 1 && sec < DEVICE_POLL_SEC + 2;
  expectations.expect('both sides were quorate for about quorum_dev_poll', isAsLong, `for ${sec} s`);
  expectations.expect(
    'my-vm1 stays quorate with 1 vote and the 4 of the device',
    watch.isQuorate(MASTER),
    'not quorate',
  );
}

const doubleQuorumWindow: PartitionCase = {
  name: 'double-quorum-window',
  title: 'The master of the quorum disk is cut off from four nodes, and both sides are quorate for ten seconds',
  outcome:
    'Both sides fence at once. Whoever preempts first wins, here the master alone; all that the four try ends in a reservation conflict until they lose quorum.',
  clusterConf: CLUSTER_CONF,
  *script(stage) {
    const { lab, expectations, chronicle } = stage;
    yield* cutMasterOff(stage);
    yield* expectations.within(3, 'my-vm1 fences the four', () => hasFenced(chronicle, ...OTHERS));
    const isTried = (): boolean => attempts(chronicle, ({ node, victim }) => node !== MASTER && victim === MASTER) > 0;
    yield* expectations.within(3, 'the four try to fence my-vm1', isTried);
    yield* windowCloses(stage);
    yield* lab.wait(20 * SECOND);
    expectations.expect('nobody could fence my-vm1', !hasFenced(chronicle, MASTER), 'it was fenced');
    yield* expectations.lines('my-vm1', 'cman_tool status', ['Nodes: 1', 'Total votes: 5', 'Quorum: 5  ']);
    yield* expectations.lines('my-vm2', 'cman_tool status', ['Nodes: 4', 'Quorum: 5 Activity blocked']);
    yield* expectations.lines('my-vm2', 'sg_persist -i -k /dev/sdb', ['    0x63d20001']);
  },
};

const windowLost: PartitionCase = {
  name: 'double-quorum-window-lost',
  title: 'The same, but the four preempt first',
  outcome:
    'The master alone is quorate and may not write; the four may write and are inquorate: nobody serves until an administrator decides.',
  clusterConf: delayed(OTHERS),
  *script(stage) {
    const { lab, expectations, chronicle } = stage;
    yield* cutMasterOff(stage);
    yield* expectations.within(3, 'the four fence my-vm1', () => hasFenced(chronicle, MASTER));
    yield* windowCloses(stage);
    yield* lab.wait(20 * SECOND);
    expectations.expect(
      'my-vm1 could not fence any of the four',
      !OTHERS.some((node) => hasFenced(chronicle, node)),
      'it did',
    );
    const keys = OTHERS.map((node) => `    0x63d2000${node}`);
    yield* expectations.lines('my-vm1', 'sg_persist -i -k /dev/sdb', keys);
    const isServed = chronicle.of('client.request').at(-1)?.isAnswered === true;
    expectations.expect('the page is not served', !isServed, 'it is');
  },
};

const postFailDelay: PartitionCase = {
  name: 'post-fail-delay-outlasts-window',
  title: 'The same with post_fail_delay above quorum_dev_poll',
  outcome: 'The four have lost quorum before they would fence: only the master does.',
  clusterConf: changed('post_fail_delay="0"', 'post_fail_delay="15"'),
  *script(stage) {
    const { lab, expectations, chronicle } = stage;
    yield* cutMasterOff(stage);
    yield* windowCloses(stage);
    const isTried = attempts(chronicle, () => true) > 0;
    expectations.expect('nobody has fenced in the window', !isTried, 'somebody has');
    yield* expectations.within(8, 'then my-vm1 fences the four', () => hasFenced(chronicle, ...OTHERS));
    yield* lab.wait(20 * SECOND);
    const others = attempts(chronicle, ({ node }) => node !== MASTER);
    expectations.expect('the four have not tried', others === 0, `${others} attempts`);
  },
};

const fenceDelay: PartitionCase = {
  name: 'fence-delay-decides',
  title: 'The same with a delay for whoever fences my-vm1',
  outcome: 'The agent of the four still waits when my-vm1 has fenced them: the delayed side loses the race for sure.',
  clusterConf: delayed([MASTER]),
  *script(stage) {
    const { lab, expectations, chronicle } = stage;
    yield* cutMasterOff(stage);
    yield* expectations.within(3, 'my-vm1 fences the four', () => hasFenced(chronicle, ...OTHERS));
    yield* windowCloses(stage);
    yield* lab.wait(20 * SECOND);
    const tried = attempts(chronicle, ({ node }) => node !== MASTER);
    expectations.expect('the four have tried once', tried === 1, `${tried} attempts`);
    expectations.expect('and could not fence my-vm1', !hasFenced(chronicle, MASTER), 'it was fenced');
  },
};

const shortPoll: PartitionCase = {
  name: 'short-quorum-dev-poll',
  title: 'quorum_dev_poll below the time that a change of masters takes, with one node down already',
  outcome:
    'When the master dies the device lapses before there is another master: the three others lose quorum for a moment.',
  clusterConf: changed('<cman ', '<cman quorum_dev_poll="2000" '),
  *script({ lab, expectations, chronicle, watch }) {
    yield* lab.exec('my-vm5', 'shutdown -h now');
    yield* expectations.within(120, 'my-vm5 leaves', () => chronicle.machineStates.get(5) === 'off');
    yield* lab.wait(5 * SECOND);
    lab.powerOff('my-vm1');
    const survivors = [2, 3, 4];
    const lost = (node: number): boolean =>
      chronicle.of('quorum.changed').some((fact) => fact.node === node && fact.isQuorate === false);
    yield* expectations.within(10, 'all three lose quorum', () => survivors.every(lost));
    const areQuorate = (): boolean => survivors.every((node) => watch.isQuorate(node));
    yield* expectations.within(5, 'and have it again under the new master', areQuorate);
    const master = chronicle.of('qdisk.master').at(-1)?.master;
    expectations.expect('which is my-vm2', master === 2, `${master}`);
  },
};

/** The master's cable is pulled: its ping does not end, and its score is gone at the ceiling of the heuristic. */
function* pullCable({ lab, expectations, chronicle }: PartitionStage): Task {
  lab.setLink('my-vm1', false);
  const isDown = (): boolean =>
    chronicle.of('qdisk.heuristic').some(({ node, isUp }) => node === MASTER && isUp === false);
  yield* expectations.within(5.1, 'the heuristic of my-vm1 fails', isDown);
}

const heuristicHangs: PartitionCase = {
  name: 'heuristic-hangs',
  title: "The master's cable is pulled, and its heuristic hangs",
  outcome:
    'It reboots within 5 s; the others see no word of it and need tko + 1 misses; the next lowest id is master, and quorum is never lost.',
  clusterConf: CLUSTER_CONF,
  *script(stage) {
    const { lab, expectations, chronicle, watch } = stage;
    yield* pullCable(stage);
    yield* expectations.within(1, 'qdiskd reboots it', () => chronicle.of('qdisk.reboot').length > 0);
    const rebootedAt = lab.now();
    const isMaster = (): boolean => chronicle.of('qdisk.master').some(({ node, master }) => node === 2 && master === 2);
    yield* expectations.within(12, 'my-vm2 takes over', isMaster);
    const took = (lab.now() - rebootedAt) / SECOND;
    expectations.expect('after it has missed five heartbeats', took > 5, `after ${took} s`);
    yield* expectations.within(RING_SEC, 'my-vm1 is fenced', () => hasFenced(chronicle, MASTER));
    const lost = chronicle.of('quorum.changed').filter(({ node, isQuorate }) => node !== MASTER && isQuorate === false);
    expectations.expect('the others were quorate all the time', lost.length === 0, `${lost.length} losses`);
    yield* expectations.within(15, 'my-vm2 serves the page', () => chronicle.owner === 2 && chronicle.isServed);
    expectations.expect('there was no double window', watch.splitFor === 0, `${watch.splitFor / SECOND} s`);
  },
};

const heuristicWithoutReboot: PartitionCase = {
  name: 'heuristic-without-reboot',
  title: "The master's cable is pulled, and reboot is 0",
  outcome:
    'Its block says NONE, so the others see it in a cycle and have another master sooner; it runs on, has lost the votes of the device, and is fenced.',
  clusterConf: changed('min_score="1"', 'min_score="1" reboot="0"'),
  *script(stage) {
    const { lab, expectations, chronicle, watch } = stage;
    yield* pullCable(stage);
    const saw = (): boolean =>
      OTHERS.every((node) => chronicle.of('qdisk.master').some((fact) => fact.node === node && fact.master === 0));
    yield* expectations.within(2.2, 'the others see within two cycles that there is no master', saw);
    const isMaster = (): boolean => chronicle.of('qdisk.master').some(({ node, master }) => node === 2 && master === 2);
    yield* expectations.within(5, 'my-vm2 takes over', isMaster);
    yield* expectations.within(
      RING_SEC,
      'my-vm1 loses quorum when its ring is its own',
      () => !watch.isQuorate(MASTER),
    );
    yield* expectations.within(5, 'my-vm1 is fenced', () => hasFenced(chronicle, MASTER));
    expectations.expect('it runs on', chronicle.machineStates.get(MASTER) === 'up', 'it does not');
    yield* expectations.within(15, 'my-vm2 serves the page', () => chronicle.owner === 2 && chronicle.isServed);
    yield* expectations.lines('my-vm1', 'cman_tool status', ['Total votes: 1', 'Quorum: 5 Activity blocked']);
    yield* lab.wait(SECOND);
  },
};

/** The partitions that are worth knowing, with what comes of them. */
export const PARTITION_CASES: readonly PartitionCase[] = [
  doubleQuorumWindow,
  windowLost,
  postFailDelay,
  fenceDelay,
  shortPoll,
  heuristicHangs,
  heuristicWithoutReboot,
];
