import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A port of the loopback that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Whether tgt, the target of Linux distributions that ours is held against, can be run here. */
export function hasTgt(): boolean {
  return ['tgtd', 'tgtadm'].every((program) => spawnSync(program, ['--help']).error === undefined);
}

/** Runs tgtd with one file of that size as LUN 1 while `use` works with its URL. */
export async function withTgt(bytes: number, use: (url: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tgt-'));
  const port = await freePort();
  const image = join(directory, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, bytes);
  // Its control port is a number below 32768 of its own kind.
  const control = `${port % 32_000}`;
  const target = 'iqn.2024-01.example:tgt';
  const tgtd = spawn('tgtd', ['-f', '-C', control, '--iscsi', `portal=127.0.0.1:${port}`], { stdio: 'ignore' });
  const admin = (...args: readonly string[]): unknown =>
    execFileSync('tgtadm', ['-C', control, '--lld', 'iscsi', ...args], { stdio: 'ignore' });
  try {
    await settled(() => admin('--mode', 'target', '--op', 'show'));
    admin('--mode', 'target', '--op', 'new', '--tid', '1', '--targetname', target);
    admin('--mode', 'logicalunit', '--op', 'new', '--tid', '1', '--lun', '1', '--backing-store', image);
    admin('--mode', 'target', '--op', 'bind', '--tid', '1', '--initiator-address', 'ALL');
    await use(`iscsi://127.0.0.1:${port}/${target}/1`);
  } finally {
    // It does not leave on SIGTERM while it has targets.
    tgtd.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
}

/** Tries until it works, for at most 10 s. */
async function settled(act: () => unknown): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      act();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
