import type { Fact } from '@quorate/kernel';
import type { MappedSegment } from './mapping.js';
import type { VolumeGroup } from './volume-group.js';

/** What is told of changes to volume groups. Names of groups and volumes can change; their identifiers do not. */
export type VolumesFact = AreaWrittenFact | CommittedFact | GroupRemovedFact | ActivatedFact | DeactivatedFact;

/** The header of a metadata area was written in one of the two phases of a commit. */
export interface AreaWrittenFact extends Fact {
  readonly kind: 'volumes.area-written';
  readonly phase: 'precommit' | 'commit';
  readonly groupId: string;
  /** Of the text that is written. */
  readonly seqno: number;
  readonly physicalVolumeId: string;
  /** Of the metadata area, in bytes on the device. */
  readonly offset: number;
  readonly size: number;
  /** Metadata areas that the commit writes in all. */
  readonly areas: number;
  /** The header as it is on disk. */
  readonly header: Uint8Array;
  /** The text as it is on disk. */
  readonly text: Uint8Array;
}

/** All metadata areas have this state of the group. */
export interface CommittedFact extends Fact {
  readonly kind: 'volumes.committed';
  readonly group: VolumeGroup;
}

export interface GroupRemovedFact extends Fact {
  readonly kind: 'volumes.group-removed';
  readonly groupId: string;
}

/** A node maps a logical volume. */
export interface ActivatedFact extends Fact {
  readonly kind: 'volumes.activated';
  readonly volumeId: string;
  readonly segments: readonly MappedSegment[];
}

export interface DeactivatedFact extends Fact {
  readonly kind: 'volumes.deactivated';
  readonly volumeId: string;
}
