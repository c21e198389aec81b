import { isErrno, type Os, type Program, SECOND, type Task, utf8Text } from '@quorate/kernel';

const DEFINITIONS = '/etc/libvirt/qemu';
const QEMU = '/usr/libexec/qemu-kvm';
const SIGTERM = 15;

/** How long a guest takes to shut down when it is asked to. */
const GUEST_SHUTDOWN = 5 * SECOND;

/** The model of a virtual machine: a process with its name. SIGTERM stands for the power button. */
export const qemuKvm: Program = function* (argv, os) {
  os.trap(SIGTERM, function* () {
    os.log('info', 'qemu-kvm', `${argv[2]}: guest shuts down`);
    yield* os.sleep(GUEST_SHUTDOWN);
    return 0;
  });
  for (;;) yield* os.sleep(Number.POSITIVE_INFINITY);
};

/** Starts a guest. */
export function startDomain(os: Os, name: string): boolean {
  return !isErrno(os.spawn([QEMU, '-name', name]));
}

/** Process of a guest; undefined when it does not run here. */
export function pidOfDomain(os: Os, name: string): number | undefined {
  return os.processes().find(({ argv }) => argv[0] === QEMU && argv[2] === name)?.pid;
}

/** Guests that run here. */
export function runningDomains(os: Os): readonly string[] {
  return os
    .processes()
    .filter(({ argv: [program] }) => program === QEMU)
    .map(({ argv }) => argv[2]!);
}

/** Whether there is a definition of it, `/etc/libvirt/qemu/NAME.xml`. */
export function* isDefined(os: Os, name: string): Task<boolean> {
  return !isErrno(yield* os.stat(`${DEFINITIONS}/${name}.xml`));
}

/** The name in a definition; undefined when there is none. */
export function* nameIn(os: Os, file: string): Task<string | undefined> {
  const bytes = yield* os.readFile(file);
  return isErrno(bytes) ? undefined : /<name>([^<]+)<\/name>/.exec(utf8Text(bytes))?.[1];
}
