import { check } from '@quorate/gfs2';
import type { Fact, Nanos } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import { VOLUME } from './disks.js';

/** Looks at the shared file system when nobody has it mounted any more, and tells what the checker found. */
export function checkVolume(stores: ReadonlyMap<number, BlockStore>, now: Nanos): readonly Fact[] {
  const store = stores.get(VOLUME.lun)!;
  const findings = check({
    sizeBytes: VOLUME.blocks * 512,
    read: (byteOffset, into) => store.read(VOLUME.start + byteOffset / 512, into.length / 512, into),
  });
  const checked: Fact & { readonly findings: readonly string[] } = {
    kind: 'gfs2.checked',
    now,
    findings: findings.map((finding) => `${finding.rule}: ${finding.text}`),
  };
  return [checked];
}
