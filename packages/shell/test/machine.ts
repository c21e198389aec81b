// One machine with the administrator's programs and a disk that other initiators use too.
import { type Program, type ProgramResult, TAME_WORLD, utf8Bytes } from '@quorate/kernel';
import { ClusterNode, type NodeInput } from '@quorate/node';
import { persistentReserveOut, type ReserveOut, ScsiTarget, SparseStore, type TargetInput } from '@quorate/scsi';
import { administratorsPrograms } from '../src/index.js';

const BLOCKS = 2048;
const NEXUS = 1;

/** 2015-10-29 21:30:00 UTC. */
const WALL_SEC = 1_446_154_200;

/** All that is started at boot; it ends at once when there is no configuration for it. */
const startWebServer: Program = function* (_argv, os) {
  os.spawn(['/usr/sbin/httpd', '-Dmy_apache', '-d', '/etc/httpd', '-k', 'start']);
  return 0;
};

export class ShellMachine {
  readonly #node: ClusterNode;
  readonly #target: ScsiTarget;
  readonly #mail: (() => void)[] = [];
  #result: ProgramResult | undefined;
  #now = 0;

  constructor(files: Readonly<Record<string, string>> = {}) {
    const programs = new Map(administratorsPrograms);
    programs.set('/etc/rc.d/rc', startWebServer);
    this.#node = new ClusterNode({
      id: 1,
      name: 'my-vm1',
      life: 1,
      seed: { hi: 0, lo: 1 },
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/24'] }],
      devices: [{ path: '/dev/sdb', lun: 0, start: 0, blocks: BLOCKS }],
      files: new Map(Object.entries(files).map(([path, text]) => [path, utf8Bytes(text)])),
      programs,
    });
    this.#target = new ScsiTarget({
      name: 'iqn.2016-02.example.quorate:shared',
      logicalUnits: [{ lun: 0, serial: '60022480a1b2c3d4e5f60001', store: new SparseStore({ blocks: BLOCKS }) }],
      world: TAME_WORLD,
    });
    for (const nexus of [NEXUS, 2, 3]) {
      const port = { name: `iqn.2016-02.example.quorate:my-vm${nexus}`, isid: String(nexus).padStart(12, '0') };
      this.#toDisk({ kind: 'login', nexus, port });
    }
    this.#toNode({ kind: 'boot', wall: { sec: WALL_SEC, nsec: 0 }, carrier: [true] });
  }

  type(command: string): ProgramResult {
    this.#result = undefined;
    this.#toNode({ kind: 'command', id: 1, command });
    for (;;) {
      for (let next = this.#mail.shift(); next !== undefined; next = this.#mail.shift()) next();
      if (this.#result !== undefined) return this.#result;
      this.#now = Math.min(this.#node.deadline(), this.#target.deadline());
      if (this.#now === Infinity) throw new Error(`${command} does not end`);
      this.#toDisk({ kind: 'wake' });
      this.#toNode({ kind: 'wake' });
    }
  }

  /** Lets time pass in which nothing happens. */
  wait(seconds: number): void {
    this.#now += seconds * 1e9;
    this.#toNode({ kind: 'wake' });
  }

  /** PERSISTENT RESERVE OUT by another initiator. */
  reserveOut(nexus: number, action: ReserveOut, type: number, key: bigint, serviceActionKey: bigint): void {
    // The first command of a nexus is answered by a unit attention.
    for (const tag of [1, 2]) {
      this.#toDisk({
        kind: 'command',
        nexus,
        lun: 0,
        tag,
        ...persistentReserveOut(action, type, key, serviceActionKey),
      });
      this.#now = this.#target.deadline() === Infinity ? this.#now : this.#target.deadline();
      this.#toDisk({ kind: 'wake' });
    }
  }

  #toNode(input: NodeInput): void {
    this.#node.step(this.#now, input, (output) => {
      if (output.kind === 'reply') this.#result = output.result;
      if (output.kind !== 'io') return;
      const { tag, lun } = output;
      const [cdb, data] = [output.cdb.slice(), output.data.slice()];
      this.#mail.push(() => this.#toDisk({ kind: 'command', nexus: NEXUS, lun, tag, cdb, data }));
    });
  }

  #toDisk(input: TargetInput): void {
    this.#target.step(this.#now, input, (output) => {
      if (output.kind !== 'response' || output.nexus !== NEXUS) return;
      const { tag, status } = output;
      const [sense, data] = [output.sense.slice(), output.data.slice()];
      this.#mail.push(() => this.#toNode({ kind: 'io-done', tag, status, sense, data }));
    });
  }
}
