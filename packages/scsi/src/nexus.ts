import type { Choices } from '@quorate/kernel';
import type { CopyResult } from './commands/copy-result.js';
import { type Impairment, UNIMPAIRED } from './impairment.js';
import type { InitiatorPort } from './transport-id.js';
import { UnitAttentions } from './unit-attention.js';

/**
 * Where a nexus stands: logged in; lost, when the target noticed that the initiator is gone; or logged out.
 *
 * Commands of a lost nexus may still come out of the fabric: they are carried out and answered to nobody.
 */
type NexusState = 'logged-in' | 'lost' | 'logged-out';

/** One I_T nexus: an initiator port and the target port. It outlives its sessions. */
export interface Nexus {
  readonly id: number;
  readonly port: InitiatorPort;
  state: NexusState;
  /** It has not logged in since the target has power. */
  isNew: boolean;
  /** What is wrong with its path or with the disk for it. */
  impairment: Impairment;
  /** By index of the logical unit. */
  readonly units: readonly UnitNexus[];
}

/** What a logical unit keeps for one nexus (the I_T_L nexus). */
export interface UnitNexus {
  readonly nexus: Nexus;
  readonly attentions: UnitAttentions;
  /** How its last EXTENDED COPY ended, as long as nobody asked to discard that. */
  copyResult: CopyResult | undefined;
  /** What the world does to its commands. */
  readonly choices: Choices;
}

/** A nexus that has not logged in yet. */
export function newNexus(id: number, port: InitiatorPort, choicesOfUnits: readonly Choices[]): Nexus {
  const units: UnitNexus[] = [];
  const nexus: Nexus = {
    id,
    port: { name: port.name, isid: port.isid },
    state: 'logged-out',
    isNew: true,
    impairment: UNIMPAIRED,
    units,
  };
  for (const choices of choicesOfUnits)
    units.push({ nexus, attentions: new UnitAttentions(), copyResult: undefined, choices });
  return nexus;
}
