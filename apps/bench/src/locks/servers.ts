import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server of its own, with nothing in it. */
export interface RunningServer {
  readonly port: number;
  end(): void;
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Redis without persistence. */
export async function startRedis(): Promise<RunningServer> {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', `${port}`, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  return { port, end: () => server.kill() };
}

/** One etcd, on disk. */
export async function startEtcd(): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-etcd-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const clientUrls = ['--listen-client-urls', client, '--advertise-client-urls', client];
  const peerUrls = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer];
  const cluster = ['--initial-cluster', `default=${peer}`, '--data-dir', directory, '--log-level', 'error'];
  const server: ChildProcess = spawn('etcd', [...clientUrls, ...peerUrls, ...cluster], { stdio: 'ignore' });
  return {
    port,
    end() {
      server.once('exit', () => rmSync(directory, { recursive: true, force: true }));
      server.kill();
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
