import { randomUUID } from 'node:crypto';
import { Mutex, type MutexInterface } from 'async-mutex';
import { Redis } from 'ioredis';
import Redlock from 'redlock';
import type { Locks } from './lockers.js';
import { type RunningServer, startEtcd, startRedis } from './servers.js';

/** What one would take instead of our lock manager. */
export interface Alternative {
  readonly name: string;
  /** The program that has to be installed. */
  readonly server?: string;
  /** Calls back with its locks, and ends what it has begun. */
  use(measure: (locks: Locks<unknown>) => Promise<void>): Promise<void>;
}

/** async-mutex, one for each name, all in this thread. */
export function mutexLocks(): Locks<MutexInterface.Releaser> {
  const mutexes = new Map<string, Mutex>();
  return {
    acquire(name) {
      let mutex = mutexes.get(name);
      if (mutex === undefined) {
        mutex = new Mutex();
        mutexes.set(name, mutex);
      }
      return mutex.acquire();
    },
    release(unlock) {
      unlock();
      return undefined;
    },
  };
}

const EXPIRY_MILLISECONDS = 30_000;
/** Deletes the key if it is still ours. */
const UNLOCK = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

interface HeldKey {
  readonly key: string;
  readonly token: string;
}

/** SET NX PX, asked again at once until it holds. */
function redisLocks(redis: Redis): Locks<HeldKey> {
  return {
    async acquire(key) {
      const token = randomUUID();
      while ((await redis.set(key, token, 'PX', EXPIRY_MILLISECONDS, 'NX')) === null);
      return { key, token };
    },
    release: ({ key, token }) => redis.eval(UNLOCK, 1, key, token),
  };
}

function redlockLocks(redis: Redis): Locks<Redlock.Lock> {
  const redlock = new Redlock([redis], { retryCount: -1 });
  return { acquire: (name) => redlock.lock(name, EXPIRY_MILLISECONDS), release: (lock) => lock.unlock() };
}

/** etcd's lock service over its JSON gateway; each locker has a lease of its own, since that is whose the lock is. */
function etcdLocks(port: number): Locks<string> {
  const leases = new Map<number, string>();
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd: ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  };
  return {
    async acquire(name, locker) {
      let lease = leases.get(locker);
      if (lease === undefined) {
        lease = (await post('lease/grant', { TTL: 600 })).ID!;
        leases.set(locker, lease);
      }
      return (await post('lock/lock', { name: Buffer.from(name).toString('base64'), lease })).key!;
    },
    release: (key) => post('lock/unlock', { key }),
  };
}

async function withServer<T>(start: () => Promise<RunningServer>, use: (port: number) => Promise<T>): Promise<T> {
  const server = await start();
  try {
    return await use(server.port);
  } finally {
    server.end();
  }
}

function withRedis(use: (redis: Redis) => Promise<void>): Promise<void> {
  return withServer(startRedis, async (port) => {
    // It comes when the server listens.
    const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on('error', () => {});
    try {
      await redis.ping();
      await use(redis);
    } finally {
      redis.disconnect();
    }
  });
}

async function untilReady(isReady: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return void (await isReady());
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('etcd does not answer');
}

export const ALTERNATIVES: readonly Alternative[] = [
  { name: 'async-mutex, one thread', use: (measure) => measure(mutexLocks() as Locks<unknown>) },
  {
    name: 'Redis SET NX, busy retry',
    server: 'redis-server',
    use: (measure) => withRedis((redis) => measure(redisLocks(redis) as Locks<unknown>)),
  },
  {
    name: 'redlock, one Redis',
    server: 'redis-server',
    use: (measure) => withRedis((redis) => measure(redlockLocks(redis) as Locks<unknown>)),
  },
  {
    name: 'etcd, one node, lock service',
    server: 'etcd',
    use: (measure) =>
      withServer(startEtcd, async (port) => {
        await untilReady(() => fetch(`http://127.0.0.1:${port}/version`));
        await measure(etcdLocks(port) as Locks<unknown>);
      }),
  },
];
