import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacksPrograms, pathOf } from '../oracle.js';

/** Programs that make and run a guest. */
const HOST_PROGRAMS = ['qemu-system-x86_64', 'busybox', 'cpio', 'dpkg-deb', 'apt-get'];

const NETWORK_CARD = ['-netdev', 'user,id=net', '-device', 'e1000,netdev=net'];

/** A machine with Debian's Linux, started for one piece of work. */
export interface Guest {
  /** A shell script: what it does once its modules are loaded. Its variables may be on the kernel's command line. */
  readonly work: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Modules of the kernel, in the order in which they can be loaded; those that are built in may be missing. */
  readonly modules: readonly string[];
  /** Programs of this host, which it gets with their libraries, besides those of busybox. */
  readonly programs?: readonly string[];
  /** Files of this host by their path there. */
  readonly files?: Readonly<Record<string, string>>;
  /** Raw images: `/dev/vda`, `/dev/vdb` and so on, if the modules of virtio are loaded. */
  readonly disks?: readonly string[];
}

/** Why no Linux kernel with these programs can be run here; undefined: it can. */
export function lacksForGuest(programs: readonly string[]): string | undefined {
  return lacksPrograms(...HOST_PROGRAMS, ...programs);
}

/** Debian's kernel, unpacked and not installed; fetched once. */
function kernelDirectory(): string {
  const directory = join(homedir(), '.cache', 'quorate', 'linux');
  if (existsSync(join(directory, 'boot'))) return directory;
  mkdirSync(directory, { recursive: true });
  const depends = execFileSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' });
  const [, image = 'linux-image-amd64'] = /Depends: (linux-image-\S+)/.exec(depends) ?? [];
  execFileSync('apt-get', ['download', '-qq', image], { cwd: directory, stdio: 'ignore' });
  const deb = readdirSync(directory).find((name) => name.endsWith('.deb'))!;
  execFileSync('dpkg-deb', ['-x', join(directory, deb), directory]);
  return directory;
}

function find(directory: string, name: string): string | undefined {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const found = entry.isDirectory() ? find(path, name) : entry.name === name ? path : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Makes an initial file system of the scripts, the programs with their libraries, and the kernel's modules. */
function initialFileSystem(
  { work, modules, programs = [], files = {} }: Guest,
  kernel: string,
  folder: string,
): string {
  const root = join(folder, 'root');
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
  };
  put(fileURLToPath(new URL('init.sh', import.meta.url)), 'init');
  chmodSync(join(root, 'init'), 0o755);
  put(work, 'work.sh');
  put(pathOf('busybox')!, 'bin/busybox');
  for (const program of programs) {
    const path = pathOf(program)!;
    put(realpathSync(path), `sbin/${program}`);
    for (const [library] of execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/\/\S+/g)) put(library, library);
  }
  for (const [to, from] of Object.entries(files)) put(from, to);
  const all = join(kernel, 'lib/modules');
  const present = modules.flatMap((name) => find(all, `${name}.ko`) ?? []);
  for (const path of present) put(path, `lib/${basename(path)}`);
  writeFileSync(join(root, 'modules'), `${present.map((path) => basename(path, '.ko')).join('\n')}\n`);
  const archive = join(folder, 'initrd');
  execFileSync('sh', ['-c', `find . | cpio --quiet -o -H newc > '${archive}'`], { cwd: root });
  return archive;
}

/** Boots the guest, which switches itself off when its work is done; gives what its console shows. `folder` is for its files. */
export function runGuest(folder: string, guest: Guest): Promise<string> {
  const kernel = kernelDirectory();
  const image = readdirSync(join(kernel, 'boot')).find((name) => name.startsWith('vmlinuz'))!;
  const variables = Object.entries(guest.variables ?? {}).map(([name, value]) => `${name}=${value}`);
  const machine = spawn('qemu-system-x86_64', [
    ...['-accel', 'tcg', '-m', '512', '-nographic', '-no-reboot', ...NETWORK_CARD],
    ...(guest.disks ?? []).flatMap((path) => ['-drive', `file=${path},format=raw,if=virtio,cache=unsafe`]),
    ...['-kernel', join(kernel, 'boot', image), '-initrd', initialFileSystem(guest, kernel, folder)],
    ...['-append', ['console=ttyS0 loglevel=4 panic=1', ...variables].join(' ')],
  ]);
  let console = '';
  machine.stdin.end();
  for (const stream of [machine.stdout, machine.stderr]) {
    stream.on('data', (bytes) => {
      console += bytes;
    });
  }
  return new Promise((resolve, reject) => {
    machine.on('error', reject);
    machine.on('exit', () => resolve(console));
  });
}
