import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { type LogicalUnitConfig, SparseStore } from '@quorate/scsi';
import { type DiskImage, naming, openDiskImage } from '../disk/disk-image.js';
import { sizeOf } from '../disk/sizes.js';
import { UsageError } from '../usage-error.js';
import { aptplOf } from './aptpl-file.js';

/** What a `--lun` says: where the blocks are, and how the unit behaves. */
export interface LunOption {
  /** A file, or `mem:SIZE`. */
  readonly source: string;
  readonly isThin: boolean;
  readonly isReadOnly: boolean;
  readonly isRemovable: boolean;
  readonly blockLength: number | undefined;
  /** Bytes of a physical block; undefined: as the image has them, or one logical block. */
  readonly physicalBlockLength: number | undefined;
}

const LENGTHS = [512, 4096];

const FORM = 'FILE|mem:SIZE[,thin][,ro][,removable][,block=512|4096][,physical=512|4096]';

/** Reads a unit in that form. @throws {UsageError} */
export function lunOptionOf(text: string): LunOption {
  const [source = '', ...words] = text.split(',');
  const known = ['thin', 'ro', 'removable', ...LENGTHS.flatMap((bytes) => [`block=${bytes}`, `physical=${bytes}`])];
  const odd = words.find((word) => !known.includes(word));
  if (source === '' || odd !== undefined) {
    throw new UsageError(`--lun: found "${odd ?? text}", expected ${FORM}`);
  }
  const lengthOf = (name: string): number | undefined => LENGTHS.find((bytes) => words.includes(`${name}=${bytes}`));
  return {
    source,
    isThin: words.includes('thin'),
    isReadOnly: words.includes('ro'),
    isRemovable: words.includes('removable'),
    blockLength: lengthOf('block'),
    physicalBlockLength: lengthOf('physical'),
  };
}

/** A unit that is served, and how to let go of what is behind it. */
export interface ServedUnit {
  readonly unit: LogicalUnitConfig;
  /** What the unit's blocks are in; undefined for memory. */
  readonly image: DiskImage | undefined;
  close(): void;
}

/** Opens what is behind a unit. @throws {UsageError} */
export function openUnit(option: LunOption, lun: number, iqn: string): ServedUnit {
  const { source, isThin, isReadOnly: isWriteProtected, isRemovable, blockLength = 512 } = option;
  const common = { lun, isWriteProtected, isRemovable };
  if (source.startsWith('mem:')) {
    const size = sizeOf('--lun', source.slice('mem:'.length));
    if (size % blockLength !== 0)
      throw new UsageError(`--lun: found ${size} bytes, expected a multiple of ${blockLength}`);
    const store = new SparseStore({ blocks: size / blockLength, blockLength });
    const physicalBlockLength = option.physicalBlockLength ?? blockLength;
    return {
      unit: { ...common, store, isThin, physicalBlockLength, serial: serialOf(`${iqn} ${lun}`) },
      image: undefined,
      close: () => {},
    };
  }
  const image = openDiskImage(source, {
    isReadOnly: isWriteProtected,
    isThin,
    ...(option.blockLength !== undefined && { blockLength }),
  });
  try {
    const { store } = image;
    const physicalBlockLength = option.physicalBlockLength ?? image.vhdx?.info.physicalSectorSize ?? store.blockLength;
    const kept = aptplOf(source, isWriteProtected);
    const unit = { ...common, ...identityOf(image), ...kept, store, physicalBlockLength };
    if (isThin && image.store.unmap === undefined) {
      throw new UsageError(`--lun: found thin, but ${source} is a fixed image, expected a dynamic one`);
    }
    return {
      unit: { ...unit, isThin: isThin || image.vhdx?.info.kind === 'dynamic' },
      image,
      close: () => image.close(),
    };
  } catch (error) {
    image.close();
    throw error;
  }
}

/** A VHDX has an identity of its own; a raw image is known by where it lies. */
function identityOf({ path, vhdx }: DiskImage): Pick<LogicalUnitConfig, 'serial' | 'naa'> {
  if (vhdx === undefined) return { serial: serialOf(naming(path, () => realpathSync(path))) };
  const { diskId, naa } = vhdx.info;
  return { serial: diskId.replaceAll('-', ''), naa };
}

function serialOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
