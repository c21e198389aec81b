import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineProcess } from './line-process.js';
import { type RingNetwork, run } from './ring-network.js';

/** A real corosync in a node's network namespace, with a /run, /dev/shm and state directory of its own. */
export class CorosyncDaemon {
  readonly #namespace: string;
  readonly #home: string;
  #process: LineProcess | undefined;

  /** Keeps what is its own in `home`, which need not exist. */
  constructor(network: RingNetwork, node: number, home: string, conf: string) {
    this.#namespace = network.namespaceOf(node);
    this.#home = home;
    mkdirSync(join(home, 'lib'), { recursive: true });
    const logging = 'logging {\n to_stderr: no\n to_syslog: no\n to_logfile: yes\n timestamp: hires\n';
    writeFileSync(join(home, 'corosync.conf'), `${conf}${logging} logfile: ${this.#logFile}\n}\n`);
    writeFileSync(this.#logFile, '');
  }

  get isRunning(): boolean {
    return this.#process?.hasEnded === false;
  }

  /** Of all its runs. */
  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  start(): void {
    rmSync(this.#readyFile, { force: true });
    const script = [
      'mount --make-rprivate /',
      'mount -t tmpfs shm /dev/shm',
      'mount -t tmpfs run /run',
      `mount --bind ${this.#home}/lib /var/lib/corosync`,
      `touch ${this.#readyFile}`,
      `exec corosync -f -c ${this.#home}/corosync.conf`,
    ];
    // Each of these programs becomes the next one: the process is corosync in the end.
    const words = ['netns', 'exec', this.#namespace, 'unshare', '--mount', 'sh', '-c', script.join(' && ')];
    this.#process = new LineProcess('ip', words);
  }

  /** Starts a program in the namespaces of its corosync, once they are there. */
  client(program: string, words: readonly string[], onLine?: (line: string) => void): LineProcess {
    const inside = ['nsenter', ...this.#inside].join(' ');
    const isReady = `${inside} test -e ${this.#readyFile} 2>/dev/null`;
    const script = `until ${isReady}; do sleep 0.02; done; exec ${inside} "$@"`;
    return new LineProcess('sh', ['-c', script, 'sh', program, ...words], onLine);
  }

  /** What a program in its namespaces says. */
  ask(program: string, ...words: readonly string[]): string {
    return run('nsenter', ...this.#inside, program, ...words);
  }

  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    return this.#process!.end(signal);
  }

  get #inside(): readonly string[] {
    return ['-t', `${this.#process!.pid}`, '--mount', '--net', '--'];
  }

  get #logFile(): string {
    return join(this.#home, 'log');
  }

  get #readyFile(): string {
    return join(this.#home, 'ready');
  }
}
