// The real iscsiadm on databases of its own: what needs no kernel module, so no discovery and no login.
import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import { itUnless, lacksPrograms, oracleEnv } from '../../../tooling/oracle.js';
import { isThorough } from '../../../tooling/thorough.js';
import { TestMachine } from './machine.js';

const SHARED = 'iqn.2016-02.example.quorate:shared';
const BACKUP = 'iqn.2016-02.example.quorate:backup';

const ALL_COMMANDS: readonly string[] = [
  'iscsiadm -m node',
  'iscsiadm -m session',
  'iscsiadm -m session -P 3',
  'iscsiadm -m discovery',
  'iscsiadm -m discovery -t st',
  `iscsiadm -m node -T ${SHARED} --login`,
  'iscsiadm -m node --loginall=automatic',
  'iscsiadm -m node --loginall=foo',
  'iscsiadm -m node --logoutall=all',
  `iscsiadm -m node -T ${SHARED} -p 10.0.0.9:3260,1 -o new`,
  `iscsiadm -m node -T ${BACKUP} -p 10.0.0.9:3260,1 --op new`,
  `iscsiadm --mode node --targetname ${SHARED} --portal 10.0.0.10:3260,2 --op=new`,
  `iscsiadm -m node -T ${BACKUP} -p 10.0.0.77 -o new`,
  'iscsiadm -m node',
  'iscsiadm -m node -P 0',
  'iscsiadm -m node -P 1',
  'iscsiadm -m node -P 2',
  `iscsiadm -m node -T ${SHARED}`,
  `iscsiadm -m node -T ${SHARED} -p 10.0.0.9 -o show`,
  `iscsiadm -m node -T ${SHARED} -p 10.0.0.77`,
  `iscsiadm -m node -T ${BACKUP} -o update -n node.startup -v automatic`,
  `iscsiadm -m node -T ${BACKUP} -o update -n node.session.auth.password -v secret`,
  `iscsiadm -m node -T ${BACKUP} -o update -n node.foo -v 1`,
  `iscsiadm -m node -T ${BACKUP} -o update -n node.startup`,
  `iscsiadm -m node -T ${BACKUP} -o frob`,
  `iscsiadm -m node -T ${BACKUP}`,
  `iscsiadm -m node -S -T ${BACKUP} -p 10.0.0.77 -o show`,
  `iscsiadm -m node -T ${BACKUP} --logout`,
  `iscsiadm -m node -T ${BACKUP} -R`,
  'iscsiadm -m session -u',
  'iscsiadm -m session -R',
  'iscsiadm -m session -r 1 -u',
  `iscsiadm -m node -T ${BACKUP} -o delete`,
  `iscsiadm -m node -T ${BACKUP} -o delete`,
  'iscsiadm -m node',
  'iscsiadm -m node -o delete',
  'iscsiadm',
  'iscsiadm -m foo',
  'iscsiadm --version',
];

/** The real one looks for iscsid, a second long, whenever it makes a record. */
const COMMANDS = isThorough ? ALL_COMMANDS : ALL_COMMANDS.filter((command) => !/(10|77).* -o new|--op/.test(command));

/** In file systems and a network of its own, so that this machine's records stay as they are. */
function inPrivate(script: string): string {
  const mounts = ['/etc/iscsi', '/run', '/var/lib/iscsi'].map(
    (path) => `mkdir -p ${path} && mount -t tmpfs none ${path}`,
  );
  const setUp = [...mounts, 'mkdir -p /run/lock/iscsi && touch /etc/iscsi/iscsid.conf'].join(' && ');
  return spawnSync('unshare', ['-m', '-n', 'sh', '-c', `${setUp} && ${script}`], { env: oracleEnv, encoding: 'utf8' })
    .stdout;
}

function lacksIsolation(): string | undefined {
  return (
    lacksPrograms('iscsiadm', 'unshare') ??
    (inPrivate('echo able').trim() === 'able' ? undefined : 'needs root for name spaces')
  );
}

/** iscsid does not run there, which iscsiadm mentions whenever it would have asked it for its configuration. */
const WITHOUT_DAEMON = /^!iscsiadm: (iscsid is not running|can not connect to iSCSI daemon).*\n/gm;

itUnless(lacksIsolation(), 'iscsiadm keeps and shows records, and complains, as that of open-iscsi does', () => {
  const marked = (command: string): string =>
    `echo '$ ${command}'; ${command} >/run/out 2>/run/errors; status=$?; sed 's/^/|/' /run/out; sed 's/^/!/' /run/errors; echo "status $status"`;
  const real = inPrivate(COMMANDS.map(marked).join('\n')).replace(WITHOUT_DAEMON, '');
  const machine = new TestMachine({ devices: [] });
  machine.boot();
  const prefixed = (mark: string, text: string): string => text.replace(/^(?=.*\n)/gm, mark);
  const ours = COMMANDS.map((command) => {
    const { output, errors, status } = machine.type(command)!;
    return `$ ${command}\n${prefixed('|', output)}${prefixed('!', errors)}status ${status}\n`;
  });
  expect(ours.join('')).toBe(real);
});
