import { type Nanos, type Program, type ProgramResult, SECOND, utf8Bytes } from '@quorate/kernel';
import { it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { clvmdScript } from '../src/init/clvmd.js';
import { cmanScript } from '../src/init/cman.js';
import { daemonScript } from '../src/init/daemon-script.js';
import { gfs2Script } from '../src/init/gfs2.js';
import { restartable } from '../src/init/restartable.js';
import { rgmanagerScript } from '../src/init/rgmanager.js';
import { poweroff, rc, reboot, service, shutdown } from '../src/init/runlevel.js';
import { Disks } from '../src/os/disks.js';
import { RootFiles } from '../src/os/files.js';
import { OperatingSystem } from '../src/os/operating-system.js';
import type { Storage } from '../src/os/storage.js';

const FSTAB =
  '/dev/sda1 /mydata gfs2 defaults,noatime 0 0\n/dev/sda2 /old gfs2 noauto 0 0\n/dev/sda3 /boot ext4 defaults 1 2\n';

/** What the scripts call. */
const CALLED = ['cman_tool', 'qdiskd', 'fenced', 'dlm_controld', 'gfs_controld', 'fence_node', 'fence_tool', 'killall'];
const OTHERS = ['start_udev', 'clvmd', 'vgchange', 'mount', 'umount', 'sshd', 'rgmanager'];

/**
 * An operating system whose programs do nothing but say that they were called. The scene: `NAME=STATUS` of a program,
 * `quorum-disk`, `clvmd-runs`, `active=GROUP/VOLUME,…` mapped, `device-after=SECONDS`, `quorate-after=SECONDS`, `mounted`, `absent=DAEMON`, `stays=DAEMON` when told to
 * end, and `verbose` for steps that went well.
 */
class ScriptRun {
  readonly said: string[] = [];
  readonly #scene: ReadonlyMap<string, string>;
  readonly #system: OperatingSystem;
  readonly #daemons = new Map<string, number>();
  #now: Nanos = 0;

  constructor(scene: ReadonlyMap<string, string>) {
    this.#scene = scene;
    const programs = new Map<string, Program>([
      ...[...CALLED, ...OTHERS].map((name): [string, Program] => [name, this.#recorder()]),
      ['/etc/init.d/cman', cmanScript(scene.has('quorum-disk'))],
      ['/etc/init.d/clvmd', clvmdScript({ mapper: this.#mapper(scene.get('active') ?? '') })],
      ['/etc/init.d/gfs2', restartable(gfs2Script)],
      ['/etc/init.d/rgmanager', restartable(rgmanagerScript)],
      ['/etc/init.d/sshd', daemonScript({ daemon: '/usr/sbin/sshd', label: 'sshd', title: 'openssh-daemon' })],
      ...Object.entries({ rc, service, shutdown, poweroff, reboot }),
    ]);
    this.#system = new OperatingSystem({
      hostname: 'alpha',
      files: new RootFiles(new Map([['/etc/fstab', utf8Bytes(FSTAB)]]), () => {}),
      disks: new Disks([], () => {}),
      programs,
      toStack: () => {},
      newConnection: () => 1,
      interfaces: () => [],
      log: (_priority, tag, text) => this.#say(`${tag}: ${text}`),
      halt: (how) => this.#say(how),
      serve: () => ({ isQuorate: this.#isPast('quorate-after') }),
      processEnded: () => {},
      observe: undefined,
    });
    for (const name of ['qdiskd', 'fenced', 'dlm_controld', 'gfs_controld', 'clvmd']) {
      if (scene.get('absent') !== name && (name !== 'clvmd' || scene.has('clvmd-runs')))
        this.#daemons.set(name, this.#system.daemonStarted([name]));
    }
    if (scene.has('mounted')) {
      this.#system.mountTable.add({ device: '/dev/sda1', directory: '/mydata', type: 'gfs2', options: 'defaults' });
    }
  }

  run(argv: readonly string[]): readonly string[] {
    let result: ProgramResult | undefined;
    this.#system.run(argv, {}, 1, (ended) => {
      result = ended;
    });
    while (result === undefined) {
      this.#now = this.#system.deadline();
      this.#system.advance(this.#now);
      this.#system.wake();
    }
    const { status, output, errors } = result;
    const isTelling = (line: string): boolean => this.#scene.has('verbose') || !line.endsWith('[  OK  ]');
    const printed = (output + errors).split('\n').filter((line) => line !== '' && isTelling(line));
    return [...this.said, ...printed.map((line) => `|${line}`), `status ${status}`];
  }

  #recorder(): Program {
    const scene = this.#scene;
    const say = (text: string): void => this.#say(text);
    const hasDevice = (): boolean => this.#isPast('device-after');
    const end = (name: string): void => {
      if (scene.get('stays') !== name && this.#daemons.has(name)) this.#system.daemonEnded(this.#daemons.get(name)!);
    };
    return function* (argv, os) {
      if (argv[0] === 'killall') end(argv[1]!);
      if (argv.join(' ') === 'cman_tool status') os.print(hasDevice() ? 'Quorum device votes: 4\n' : '');
      else say(argv.join(' '));
      const status = Number(scene.get(argv[0]!) ?? 0);
      if (status === 1) os.printError(`${argv[0]}: no\n`);
      return status;
    };
  }

  /** `GROUP/VOLUME,…`, all of clustered groups but those of `local`. */
  #mapper(active: string): Storage['mapper'] {
    const volumes = active.split(',').filter((each) => each !== '');
    const entries = volumes.map((each): [string, unknown] => {
      const [group, name] = each.split('/');
      return [each, { group, name, isClustered: group !== 'local' }];
    });
    return { active: new Map(entries) } as unknown as Storage['mapper'];
  }

  #isPast(event: string): boolean {
    const at = this.#scene.get(event) ?? '0';
    return at !== 'never' && this.#now >= Number(at) * SECOND;
  }

  #say(text: string): void {
    this.said.push(`${this.#now / SECOND} s  ${text}`);
  }
}

it('scripts call their programs in order', () => {
  checkTranscript(new URL('data/init.txt', import.meta.url), (commands) => commands.flatMap(runLine).join('\n'));
});

function runLine(line: string, index: number, lines: readonly string[]): readonly string[] {
  const words = line.split(' ');
  const isScene = (word: string): boolean =>
    word.includes('=') || ['quorum-disk', 'mounted', 'verbose', 'clvmd-runs'].includes(word);
  const scene = new Map(words.filter(isScene).map((word) => word.split('=', 2) as [string, string]));
  const [name, ...rest] = words.filter((word) => !isScene(word));
  const script = ['cman', 'clvmd', 'gfs2', 'rgmanager'].includes(name!) ? `/etc/init.d/${name}` : name!;
  const said = new ScriptRun(scene).run([script, ...rest]);
  return lines.length === 1 ? said : [...(index > 0 ? ['.'] : []), ...said];
}
