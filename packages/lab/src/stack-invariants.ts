import { invariants as dlm } from '@quorate/dlm';
import { invariants as fencing } from '@quorate/fencing';
import { invariants as gfs2 } from '@quorate/gfs2';
import { invariants as iscsi } from '@quorate/iscsi';
import type { Invariant } from '@quorate/kernel';
import { invariants as network } from '@quorate/network';
import { invariants as node } from '@quorate/node';
import { invariants as qdisk } from '@quorate/qdisk';
import { invariants as quorum } from '@quorate/quorum';
import { invariants as rgmanager } from '@quorate/rgmanager';
import { invariants as scsi } from '@quorate/scsi';
import { invariants as totem } from '@quorate/totem';
import { invariants as volumes } from '@quorate/volumes';
import { invariants as lab } from './invariants.js';

/** Every rule of every package of the stack, as the packages state them. */
export const stackInvariants: readonly Invariant[] = [
  ...network,
  ...scsi,
  ...iscsi,
  ...totem,
  ...quorum,
  ...qdisk,
  ...fencing,
  ...dlm,
  ...gfs2,
  ...volumes,
  ...rgmanager,
  ...node,
  ...lab,
];
