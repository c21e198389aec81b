import type { Operation } from '@quorate/gfs2';
import type { Nanos, RunOptions, Socket } from '@quorate/kernel';
import type { DiskAddress } from './disks.js';

/** What a process waits for. Calls that are answered at once do not come this way. */
export type SystemCall =
  | { readonly call: 'run'; readonly argv: readonly string[]; readonly options: RunOptions }
  | { readonly call: 'scsi'; readonly device: string; readonly cdb: Uint8Array; readonly data: Uint8Array | undefined }
  /** For a logical unit that is no device, or not yet. */
  | { readonly call: 'scsi-unit'; readonly disk: DiskAddress; readonly cdb: Uint8Array; readonly data: Uint8Array }
  | { readonly call: 'file-system'; readonly directory: string; readonly pid: number; readonly operation: Operation }
  | {
      readonly call: 'mount';
      readonly device: string;
      readonly directory: string;
      readonly type: string;
      readonly options: string;
    }
  | { readonly call: 'unmount'; readonly directory: string }
  | {
      readonly call: 'echo';
      readonly address: string;
      readonly ttl: number;
      readonly timeout: Nanos;
      readonly seq: number;
    }
  | { readonly call: 'accept'; readonly listener: Socket }
  | { readonly call: 'connect'; readonly address: string; readonly port: number; readonly timeout: Nanos }
  | { readonly call: 'receive'; readonly socket: Socket }
  | { readonly call: 'daemon'; readonly daemon: string; readonly request: unknown };
