import type { Impairment } from '@quorate/scsi';
import type { ConnectionEnd } from '../facts.js';

export type IscsiTargetInput =
  /** Somebody connected. `connection` is the driver's number for it, never used twice. */
  | { readonly kind: 'connected'; readonly connection: number; readonly remote: string; readonly local: string }
  /** Bytes came in, in any chunks. */
  | { readonly kind: 'received'; readonly connection: number; readonly bytes: Uint8Array }
  /** So many of the bytes handed out by `send` are no longer the driver's to keep. */
  | { readonly kind: 'sent'; readonly connection: number; readonly bytes: number }
  /** The other side closed, or the network gave up. */
  | { readonly kind: 'closed'; readonly connection: number }
  /**
   * The store of that logical unit got another size since the last input: initiators are told at once, and by a unit
   * attention with their next command.
   */
  | { readonly kind: 'capacity-changed'; readonly target: string; readonly lun: number }
  /** From now on all targets serve the initiator of that iSCSI name so badly; what is not given is as it should be. */
  | { readonly kind: 'impair'; readonly initiator: string; readonly impairment: Partial<Impairment> }
  /** Initiators are asked to log out, nobody new is let in, and after a while everybody is dropped. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'wake' };

export type IscsiTargetOutput =
  | { readonly kind: 'send'; readonly connection: number; readonly bytes: Uint8Array }
  /** Nothing more is read from this connection until `resume`: its answers do not get away. */
  | { readonly kind: 'pause'; readonly connection: number }
  | { readonly kind: 'resume'; readonly connection: number }
  /** What was sent before is still to be delivered. */
  | { readonly kind: 'close'; readonly connection: number; readonly reason: ConnectionEnd };
