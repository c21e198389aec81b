import type { CorosyncInput, CorosyncOutput } from '@quorate/totem/corosync';
import type { NodeOutput } from '@quorate/totem/node';

const GROUP = 'bench';
/** Bytes on their way at once; the ring refuses more than 2 MiB. */
const IN_FLIGHT_BYTES = 1.5 * 1024 * 1024;
/** What a message of a group costs beside its payload. */
const OVERHEAD = 200;
const MOST_IN_FLIGHT = 4000;

/** A process in a group of a node of ours, which puts loads on its ring. */
export class LoadedProcess {
  /** Members of the group. */
  members = 0;
  readonly #nodeId: number;
  readonly #step: (input: CorosyncInput) => void;
  #payload = new Uint8Array(0);
  #onOwn = (): void => {};

  constructor(nodeId: number, step: (input: CorosyncInput) => void) {
    this.#nodeId = nodeId;
    this.#step = step;
  }

  /** What the node says. */
  hear(said: CorosyncOutput | NodeOutput): void {
    if (said.kind === 'message' && said.from.node === this.#nodeId) this.#onOwn();
    else if (said.kind === 'confchg') this.members = said.members.length;
    else if (said.kind === 'synced') this.#step({ kind: 'join', group: GROUP, pid: this.#nodeId });
    else if (said.kind === 'cpg-refused' && said.refused.operation === 'mcast') throw new Error('refused');
  }

  /** Keeps as much on its way as the ring takes; calls `onEnd` with how many own messages came back before `isOver`. */
  flood(bytes: number, isOver: () => boolean, onEnd: (messages: number) => void): void {
    let messages = 0;
    let open = Math.min(MOST_IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / (bytes + OVERHEAD)));
    this.#payload = new Uint8Array(bytes);
    this.#onOwn = () => {
      if (!isOver()) {
        messages += 1;
        return this.#send();
      }
      open -= 1;
      if (open === 0) onEnd(messages);
    };
    for (let i = open; i > 0; i--) this.#send();
  }

  /** One message after the other; calls `onEnd` with the median of what one takes, in microseconds. */
  pingPong(bytes: number, count: number, onEnd: (medianUs: number) => void): void {
    const latencies: number[] = [];
    let sentAt = performance.now();
    this.#payload = new Uint8Array(bytes);
    this.#onOwn = () => {
      latencies.push(performance.now() - sentAt);
      if (latencies.length === count) {
        latencies.sort((a, b) => a - b);
        return onEnd(latencies[count >> 1]! * 1000);
      }
      sentAt = performance.now();
      this.#send();
    };
    this.#send();
  }

  #send(): void {
    this.#step({ kind: 'mcast', group: GROUP, pid: this.#nodeId, payload: this.#payload });
  }
}

/** Answers `flood BYTES SECONDS` or `ping-pong BYTES COUNT` with its name and a number. */
export function putLoad(process: LoadedProcess, line: string, answer: (line: string) => void): void {
  const [what = '', bytes, amount] = line.split(' ');
  if (what === 'flood') {
    const seconds = Number(amount);
    const end = performance.now() + seconds * 1000;
    const isOver = (): boolean => performance.now() > end;
    process.flood(Number(bytes), isOver, (messages) => answer(`flood ${messages / seconds}`));
  } else {
    process.pingPong(Number(bytes), Number(amount), (medianUs) => answer(`ping-pong ${medianUs}`));
  }
}
