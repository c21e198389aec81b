import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SparseStore } from '@quorate/scsi';
import { lacksPrograms } from '../../../tooling/oracle.js';
import { isThorough } from '../../../tooling/thorough.js';
import { fileToStore, storeToFile, withFile } from './image.js';
import { type Outcome, run } from './oracle.js';

/** What a metadata area can touch: everything before the data. In sectors. */
const METADATA: readonly [number, number] = [0, 2048];

/** Undefined when LVM can be run on loop devices, which takes root. */
export function lacksLvm(): string | undefined {
  const lacks = lacksPrograms('lvm', 'losetup');
  if (lacks !== undefined) return lacks;
  return withFile(1024 * 1024, (file) => {
    const { status, stdout } = run('losetup', ['--find', '--show', file]);
    if (status !== 0) {
      const why = 'there are no loop devices: LVM cannot be asked';
      if (isThorough) throw new Error(why);
      return why;
    }
    run('losetup', ['--detach', stdout.trim()]);
    return undefined;
  });
}

/** Debian's LVM on loop devices that hold copies of stores, without device-mapper. */
export class RealLvm {
  readonly devices: readonly string[];
  readonly #systemDirectory: string;

  constructor(devices: readonly string[], systemDirectory: string) {
    this.devices = devices;
    this.#systemDirectory = systemDirectory;
  }

  /** Runs a command of LVM. Complaints that device-mapper and backups are not in use are left out. */
  run(...command: readonly string[]): Outcome {
    const [name, ...args] = command;
    const settings = [`LVM_SYSTEM_DIR=${this.#systemDirectory}`, 'LVM_SUPPRESS_FD_WARNINGS=1'];
    const outcome = run('env', [...settings, 'lvm', name!, '--driverloaded', 'n', ...args]);
    const stderr = outcome.stderr.replace(
      /^ *WARNING: (Activation disabled|This metadata update|Logical.*zeroed).*\n/gm,
      '',
    );
    return { ...outcome, stderr };
  }

  /** What a command prints that must succeed, with the names of the test machine's disks in place of the loop devices'. */
  output(...command: readonly string[]): string {
    const { status, stdout, stderr } = this.run(...command);
    if (status !== 0) throw new Error(`lvm ${command.join(' ')}: ${stderr}`);
    return stdout;
  }
}

/** Lets LVM work on copies of the stores, and copies back what it wrote. */
export function withLvm(stores: readonly SparseStore[], use: (lvm: RealLvm) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'volumes-lvm-'));
  const files = stores.map((_, i) => join(directory, `disk${i}`));
  const attached: string[] = [];
  try {
    for (const [i, file] of files.entries()) {
      run('truncate', ['-s', String(stores[i]!.blocks * 512), file]);
      storeToFile(stores[i]!, file);
      attached.push(run('losetup', ['--find', '--show', file]).stdout.trim());
    }
    writeFileSync(join(directory, 'lvm.conf'), configuration(attached));
    use(new RealLvm(attached, directory));
  } finally {
    for (const device of attached) run('losetup', ['--detach', device]);
    for (const [i, file] of files.entries()) fileToStore(file, stores[i]!, [METADATA]);
    rmSync(directory, { recursive: true });
  }
}

function configuration(devices: readonly string[]): string {
  const filter = [...devices.map((device) => `"a|^${device}$|"`), '"r|.*|"'].join(', ');
  return `devices { filter = [${filter}] use_devicesfile = 0 hints = "none" }
backup { backup = 0 archive = 0 }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
global { event_activation = 0 }
`;
}
