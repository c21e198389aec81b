import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CorosyncDaemon } from './corosync-daemon.js';
import { LineProcess } from './line-process.js';
import type { RingNetwork } from './ring-network.js';

/** A node of the ring with one process in the group, whatever program it is. */
export interface RingNode {
  readonly id: number;
  readonly isReal: boolean;
  /** `node/pid` of the process. */
  readonly process: string;
  readonly isRunning: boolean;
  /** Members of the ring as the process heard of it last. */
  readonly members: readonly number[];
  /** The ring's `representative.seq`, in decimal. */
  readonly ring: string;
  /** Processes in the group. */
  readonly group: readonly string[];
  /** Messages that the process heard: `node/pid length hash`. */
  readonly heard: readonly string[];
  start(): void;
  /** Sends `size` bytes of `text`, repeated; gives the message as it is heard. */
  send(text: string, size: number): string;
  kill(): Promise<void>;
  leave(): Promise<void>;
}

export interface RingFiles {
  readonly directory: string;
  /** The program of the process in the group on a real node. */
  readonly client: string;
  /** The command of ours. */
  readonly quorate: string;
}

const GROUP = 'ring-test';

/** A node of corosync with a client of libcpg. */
export class RealNode implements RingNode {
  readonly id: number;
  readonly isReal = true;
  ring = '';
  members: readonly number[] = [];
  group: readonly string[] = [];
  heard: string[] = [];
  readonly #program: string;
  readonly #corosync: CorosyncDaemon;
  #client: LineProcess | undefined;

  constructor(id: number, network: RingNetwork, files: RingFiles, conf: string) {
    this.id = id;
    this.#program = files.client;
    this.#corosync = new CorosyncDaemon(network, id, join(files.directory, `real-${id}`), conf);
  }

  get process(): string {
    return `${this.id}/${this.#client?.pid}`;
  }

  get isRunning(): boolean {
    return this.#corosync.isRunning;
  }

  get log(): string {
    return this.#corosync.log;
  }

  start(): void {
    this.heard = [];
    this.#corosync.start();
    this.#client = this.#corosync.client(this.#program, [GROUP], (line) => this.#onLine(line));
  }

  send(text: string, size: number): string {
    this.#client!.say(`${text} ${size}`);
    return messageOf(this.process, repeated(text, size));
  }

  async kill(): Promise<void> {
    await this.#corosync.end('SIGKILL');
    await this.#client!.ended;
  }

  async leave(): Promise<void> {
    await this.#corosync.end('SIGTERM');
    await this.#client!.ended;
  }

  /** What corosync's own tool says of the quorum. */
  quorumTool(): string {
    return this.#corosync.ask('corosync-quorumtool', '-si');
  }

  #onLine(line: string): void {
    const [kind, ...words] = line.split(' ');
    if (kind === 'R') {
      this.ring = words[0]!;
      this.members = words.slice(1).map(Number);
    } else if (kind === 'C') {
      this.group = words;
    } else if (kind === 'M') {
      this.heard.push(words.join(' '));
    }
  }
}

/** A node of ours: `quorate totem join`. */
export class OurNode implements RingNode {
  readonly id: number;
  readonly isReal = false;
  ring = '';
  members: readonly number[] = [];
  group: readonly string[] = [];
  heard: string[] = [];
  readonly #network: RingNetwork;
  readonly #files: RingFiles;
  readonly #home: string;
  #command: LineProcess | undefined;
  #earlierErrors: readonly string[] = [];
  quorum = '';

  constructor(id: number, network: RingNetwork, files: RingFiles, conf: string) {
    this.id = id;
    this.#network = network;
    this.#files = files;
    this.#home = join(files.directory, `ours-${id}`);
    mkdirSync(this.#home, { recursive: true });
    writeFileSync(join(this.#home, 'corosync.conf'), conf);
  }

  get process(): string {
    return `${this.id}/${this.#command?.pid}`;
  }

  get isRunning(): boolean {
    return this.#command?.hasEnded === false;
  }

  /** Everything that it said on stderr, over restarts. */
  get errors(): readonly string[] {
    return [...this.#earlierErrors, ...(this.#command?.errors ?? [])];
  }

  start(): void {
    this.#earlierErrors = this.errors;
    this.heard = [];
    this.#command = new LineProcess(
      'ip',
      [
        ...[
          'netns',
          'exec',
          this.#network.namespaceOf(this.id),
          process.execPath,
          this.#files.quorate,
          'totem',
          'join',
        ],
        ...['--conf', join(this.#home, 'corosync.conf'), '--node', `${this.id}`],
        ...['--state', this.#home, '--group', GROUP],
      ],
      (line) => this.#onLine(line),
    );
  }

  send(text: string, size: number): string {
    const line = repeated(text, size);
    this.#command!.say(line);
    return messageOf(this.process, line);
  }

  /** SIGSTOP: its sockets go on receiving. */
  pause(): void {
    process.kill(this.#command!.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#command!.pid, 'SIGCONT');
  }

  async kill(): Promise<void> {
    if (!this.#command!.hasEnded) this.resume();
    await this.#command!.end('SIGKILL');
  }

  async leave(): Promise<void> {
    const code = await this.#command!.end('SIGTERM');
    if (code !== 0) throw new Error(`node ${this.id} left with ${code}`);
  }

  #onLine(line: string): void {
    const [, ring, members] = /^ring ([0-9a-f]+\.[0-9a-f]+): members ([0-9 ]+)/.exec(line) ?? [];
    const [, from, text] = /^([0-9]+\/[0-9]+): (.*)$/.exec(line) ?? [];
    if (ring !== undefined) {
      this.ring = ring
        .split('.')
        .map((part) => Number.parseInt(part, 16))
        .join('.');
      this.members = members!.trim().split(' ').map(Number);
    } else if (line.startsWith(`group ${GROUP}: members `)) {
      this.group = line.replace(/^.*: members ([^,]*).*$/, '$1').split(' ');
    } else if (line.startsWith('quorum: ')) {
      this.quorum = line;
    } else if (from !== undefined) {
      this.heard.push(messageOf(from, text!));
    }
  }
}

function repeated(text: string, size: number): string {
  return text.repeat(Math.ceil(size / text.length)).slice(0, size);
}

function messageOf(from: string, text: string): string {
  return `${from} ${text.length} ${hashOf(text)}`;
}

/** FNV-1a of 32 bits, as the client on a real node reckons it. */
function hashOf(text: string): string {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
