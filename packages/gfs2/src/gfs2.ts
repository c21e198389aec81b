import { ConfigError, type Machine, type Nanos, type Observe, type Prng } from '@quorate/kernel';
import type { Gfs2Fact } from './facts.js';
import type { Gfs2Input, Gfs2Output } from './gfs2-ports.js';
import { type MountOptions, parseMountOptions } from './mount/mount-options.js';
import { MountPoint, type MountView } from './mount/mount-point.js';

export interface Gfs2Config {
  /** Block size of the file system, in which `read` and `write` count; its superblock must say the same. */
  readonly blockSize?: number;
  /** `lock_nolock` needs no DLM: every lock is granted inside. */
  readonly protocol: 'lock_dlm' | 'lock_nolock';
  readonly era: 'rhel6' | 'modern';
  readonly prng: Prng;
  /** Blocks that may stay cached beside those that must. */
  readonly maxBuffers?: number;
  /** Locks that may stay cached without being used. */
  readonly maxUnusedGlocks?: number;
  readonly observe?: Observe<Gfs2Fact>;
}

/** What `inspect` shows; the little before `mount` came. */
export type Gfs2View = MountView | { readonly state: 'idle' };

/** Blocks and locks that stay cached when nobody says otherwise: 16 MiB at 4 KiB blocks. */
const MAX_BUFFERS = 4096;
const MAX_UNUSED_GLOCKS = 5000;

/**
 * One file system mounted on one node.
 *
 * Everything that takes time is a task of its scheduler: the mount, every operation, the log daemon, replays. The glocks are a
 * machine of their own. A machine is used for one mount.
 */
export class Gfs2 implements Machine<Gfs2Input, Gfs2Output> {
  readonly #config: Gfs2Config;
  #mount: MountPoint | undefined;

  /** @throws {RangeError} for a block size that GFS2 cannot have */
  constructor(config: Gfs2Config) {
    this.#config = config;
  }

  step(now: Nanos, input: Gfs2Input, emit: (output: Gfs2Output) => void): void {
    if (input.kind === 'mount') {
      if (this.#mount !== undefined) throw new RangeError('a Gfs2 is mounted once');
      let options: MountOptions;
      try {
        options = parseMountOptions(input.options);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        emit({ kind: 'mount-failed', errno: 'EINVAL', text: error.message });
        return;
      }
      this.#mount = this.#newMount(options);
    }
    if (this.#mount !== undefined) this.#mount.step(now, input, emit);
    else if (input.kind === 'operation') emit({ kind: 'result', id: input.id, result: 'ENODEV' });
    else if (input.kind === 'recover-journal') emit({ kind: 'recovered', jid: input.jid, result: 'failed' });
  }

  deadline(): Nanos {
    return this.#mount?.deadline() ?? Infinity;
  }

  inspect(): Gfs2View {
    return this.#mount?.inspect() ?? { state: 'idle' };
  }

  #newMount(options: MountOptions): MountPoint {
    const { blockSize, protocol, era, prng, maxBuffers, maxUnusedGlocks, observe } = this.#config;
    return new MountPoint(
      {
        blockSize: blockSize ?? 4096,
        protocol: options.lockProtocol ?? protocol,
        era,
        prng,
        maxBuffers: maxBuffers ?? MAX_BUFFERS,
        maxUnusedGlocks: maxUnusedGlocks ?? MAX_UNUSED_GLOCKS,
        observe,
      },
      options,
    );
  }
}
