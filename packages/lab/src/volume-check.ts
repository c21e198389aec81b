import { check } from '@quorate/gfs2';
import type { Fact, Nanos } from '@quorate/kernel';
import type { BlockDevice } from '@quorate/node';
import type { BlockStore } from '@quorate/scsi';

/** Looks at a shared file system when nobody has it mounted any more, and tells what the checker found. */
export function volumeCheck(
  volume: BlockDevice,
): (stores: ReadonlyMap<number, BlockStore>, now: Nanos) => readonly Fact[] {
  return (stores, now) => {
    const store = stores.get(volume.lun)!;
    const findings = check({
      sizeBytes: volume.blocks * 512,
      read: (byteOffset, into) => store.read(volume.start + byteOffset / 512, into.length / 512, into),
    });
    const checked: Fact & { readonly findings: readonly string[] } = {
      kind: 'gfs2.checked',
      now,
      findings: findings.map((finding) => `${finding.rule}: ${finding.text}`),
    };
    return [checked];
  };
}
