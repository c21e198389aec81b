import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacksPrograms, pathOf } from '../../../../tooling/oracle.js';

/** Programs of the host that run in the guest. */
const GUEST_PROGRAMS = ['iscsistart', 'sfdisk', 'mkfs.ext4', 'e2fsck', 'sg_persist'];
/** Programs that make and run the guest. */
const HOST_PROGRAMS = ['qemu-system-x86_64', 'busybox', 'cpio', 'dpkg-deb', 'apt-get'];

/** In the order in which they can be loaded. */
const MODULES = [
  ...['e1000', 'scsi_common', 'scsi_mod', 'crc64', 'crct10dif_common', 'crct10dif_generic', 'crc64-rocksoft'],
  ...['crc64_rocksoft_generic', 'crc-t10dif', 't10-pi', 'sd_mod', 'sg', 'scsi_transport_iscsi', 'libiscsi'],
  ...['libiscsi_tcp', 'iscsi_tcp', 'crc16', 'crc32c_generic', 'libcrc32c', 'mbcache', 'jbd2', 'ext4'],
];

/** Why no Linux kernel can be run here; undefined: it can. */
export function lacksForGuest(): string | undefined {
  return lacksPrograms(...HOST_PROGRAMS, ...GUEST_PROGRAMS);
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

/** Makes an initial file system of the script, the programs with their libraries, and the kernel's modules. */
function initialFileSystem(kernel: string, directory: string): string {
  const root = join(directory, 'root');
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
  };
  put(fileURLToPath(new URL('init.sh', import.meta.url)), 'init');
  chmodSync(join(root, 'init'), 0o755);
  put(pathOf('busybox')!, 'bin/busybox');
  for (const program of GUEST_PROGRAMS) {
    const path = pathOf(program)!;
    put(realpathSync(path), `sbin/${program}`);
    for (const [library] of execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/\/\S+/g)) put(library, library);
  }
  const modules = join(kernel, 'lib/modules');
  const present = MODULES.flatMap((name) => find(modules, `${name}.ko`) ?? []);
  for (const path of present) put(path, `lib/${basename(path)}`);
  writeFileSync(join(root, 'modules'), `${present.map((path) => basename(path, '.ko')).join('\n')}\n`);
  const archive = join(directory, 'initrd');
  execFileSync('sh', ['-c', `find . | cpio --quiet -o -H newc > '${archive}'`], { cwd: root });
  return archive;
}

/** Boots Linux, which does with the target at that port of this host what `init.sh` says; gives what its console shows. */
export function runGuest(directory: string, target: string, port: number): Promise<string> {
  const kernel = kernelDirectory();
  const image = readdirSync(join(kernel, 'boot')).find((name) => name.startsWith('vmlinuz'))!;
  const guest = spawn('qemu-system-x86_64', [
    ...[
      '-accel',
      'tcg',
      '-m',
      '512',
      '-nographic',
      '-no-reboot',
      '-netdev',
      'user,id=net',
      '-device',
      'e1000,netdev=net',
    ],
    ...['-kernel', join(kernel, 'boot', image), '-initrd', initialFileSystem(kernel, directory)],
    ...['-append', `console=ttyS0 loglevel=4 panic=1 PORT=${port} TARGET=${target}`],
  ]);
  let console = '';
  guest.stdin.end();
  guest.stdout.on('data', (bytes) => {
    console += bytes;
  });
  guest.stderr.on('data', (bytes) => {
    console += bytes;
  });
  return new Promise((resolve, reject) => {
    guest.on('error', reject);
    guest.on('exit', () => resolve(console));
  });
}
