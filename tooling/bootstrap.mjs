// Runs one root task from a fresh clone: installs with the pinned pnpm, bundles with turbo, then starts the task.
// Whatever the installer and the bundler print goes to stderr, so that a command's own output can be piped.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [task = 'start', ...rest] = process.argv.slice(2);
const bin = (name) => `${root}node_modules/.bin/${name}`;
// turbo starts every task through pnpm, so the pnpm that the workspace installed must be on PATH.
const env = {
  ...process.env,
  PATH: `${root}node_modules/.bin${delimiter}${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  npm_config_loglevel: 'error',
};

/** Runs a command to its end and leaves with its status if that is not 0. */
function run(command, args, { stdout = 'inherit', cwd = root } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    env,
    stdio: ['inherit', stdout === 'stderr' ? 2 : stdout, 'inherit'],
    shell: process.platform === 'win32',
  });
  if (done.error) throw done.error;
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** Runs what goes on until it is ended: who ends us ends it. */
function serve(command, args) {
  const child = spawn(command, args, { cwd: where, env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    throw error;
  });
  child.on('exit', (status) => process.exit(status ?? 0));
}

/** It needs a compiler of 100 MB. What the cluster is watched with starts sooner without. */
const twin = '@quorate/allocator-twin';
const isWithoutTwin = ['start', 'quorate', 'lab', 'lab:e2e'].includes(task);

function install() {
  const stampFile = `${root}node_modules/.install-stamp`;
  const stamp = createHash('sha256')
    .update(readFileSync(`${root}pnpm-lock.yaml`))
    .update(process.version)
    .digest('hex');
  const installed = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';
  const stampWithoutTwin = `${stamp} without ${twin}`;
  if (installed === stamp || (isWithoutTwin && installed === stampWithoutTwin)) return;
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const pnpm = packageManager.split('+')[0];
  const filter = isWithoutTwin ? [`--filter=!${twin}`] : [];
  run('npx', ['--yes', '--prefer-offline', pnpm, ...filter, 'install', '--frozen-lockfile', '--prefer-offline'], {
    stdout: 'stderr',
  });
  writeFileSync(stampFile, isWithoutTwin ? stampWithoutTwin : stamp);
}

/** The app that a task starts; other tasks want all of them. */
const apps = { start: 'cli', quorate: 'cli', bench: 'bench', lab: 'lab', 'lab:e2e': 'lab' };

/** Bundles what the task starts; turbo does nothing where nothing has changed. It is heard only if it fails, or the first time. */
function bundle() {
  const app = Object.hasOwn(apps, task) ? apps[task] : undefined;
  if (!existsSync(`${root}apps/${app ?? 'cli'}/dist`)) process.stderr.write('bundling the apps, once\n');
  const filter = app === undefined ? [] : [`--filter=./apps/${app}`];
  const args = ['run', 'bundle', ...filter, '--output-logs=errors-only', '--no-update-notifier'];
  const done = spawnSync(bin('turbo'), args, { cwd: root, env, encoding: 'utf8', shell: process.platform === 'win32' });
  if (done.error) throw done.error;
  if (done.status === 0) return;
  process.stderr.write(`${done.stdout}${done.stderr}`);
  process.exit(done.status ?? 1);
}

/** Commands of an app run where the user stands, so that the paths he gives mean what he thinks. */
const where = process.env.INIT_CWD ?? process.cwd();

const tasks = {
  start: () => run(process.execPath, [`${root}apps/cli/dist/main.js`, 'story', ...rest], { cwd: where }),
  quorate: () => run(process.execPath, [`${root}apps/cli/dist/main.js`, ...rest], { cwd: where }),
  bench: () => run(process.execPath, [`${root}apps/bench/dist/main.js`, ...rest], { cwd: where }),
  lab: () => serve(process.execPath, [`${root}apps/lab/dist/serve.js`, ...rest]),
  'lab:e2e': () => serve(process.execPath, [`${root}apps/lab/dist/e2e.js`, ...rest]),
  test: () => run(bin('vitest'), ['run', ...rest]),
  check: () => {
    run(bin('tsc'), ['-p', 'tsconfig.core.json']);
    run(bin('tsc'), ['-p', 'tsconfig.edge.json']);
    run(bin('biome'), ['ci', '.']);
    run(bin('knip'), []);
    run(bin('depcruise'), ['--config', 'tooling/layers.cjs', 'packages', 'apps']);
    run(bin('turbo'), ['run', 'build', 'types', 'lint:package', '--output-logs=errors-only', '--no-update-notifier']);
  },
};

if (!Object.hasOwn(tasks, task)) {
  process.stderr.write(`unknown task ${task}: expected one of ${Object.keys(tasks).join(', ')}\n`);
  process.exit(4);
}
install();
bundle();
tasks[task]();
