import { ConfigError, fmix32, hex, murmur3, type Nanos, SECOND, utf8Bytes } from '@quorate/kernel';
import { type AptplRecord, checkAptpl } from './reservation/aptpl-record.js';
import type { SenseFormat } from './sense.js';
import { DISK_SERVICE, type ServiceModel } from './service-model.js';
import type { BlockStore } from './store/block-store.js';

/** What INQUIRY says about a logical unit. Texts are ASCII, 20h to 7Eh. */
export interface Identity {
  /** At most 8 characters. */
  readonly vendor: string;
  /** At most 16 characters. */
  readonly product: string;
  /** At most 4 characters. */
  readonly revision: string;
  /** Unit serial number. */
  readonly serial: string;
  /** NAA identifier of 16 bytes, 32 hex digits of which the first is 6. */
  readonly naa: string;
}

export interface LogicalUnitConfig {
  /** 0 to 16383. */
  readonly lun: number;
  /** The content, as it stands: the target reads and writes it in place. */
  readonly store: BlockStore;
  /** Unit serial number; the identifier is derived from it unless `naa` is given. */
  readonly serial: string;
  /** Default `Msft`. */
  readonly vendor?: string;
  /** Default `Virtual Disk`. */
  readonly product?: string;
  /** Default `1.0`. */
  readonly revision?: string;
  readonly naa?: string;
  /** The medium cannot be written. */
  readonly isWriteProtected?: boolean;
  /** RMB: the medium can be ejected and loaded. */
  readonly isRemovable?: boolean;
  /** Blocks can be unmapped, and read as zeros then; the store must have `unmap` and `extentAt`. */
  readonly isThin?: boolean;
  /** D_SENSE of the control mode page: sense data by descriptors. */
  readonly hasDescriptorSense?: boolean;
  /** TAS: a task that another nexus aborts ends with TASK ABORTED instead of silently. */
  readonly hasTaskAbortedStatus?: boolean;
  /** Bytes of a physical block, from one logical block to 32768 of them, a power of two; default 4096. */
  readonly physicalBlockLength?: number;
  /** How long a SANITIZE takes: the unit is not ready for so long. Default 8 s. */
  readonly sanitizeTime?: Nanos;
  /** MAXIMUM TRANSFER LENGTH, default 16 MiB. */
  readonly maxTransferBlocks?: number;
  /** Tasks that the unit holds before it answers TASK SET FULL, default 4096. */
  readonly maxTasks?: number;
  readonly service?: ServiceModel;
  /** Facts about reads and writes carry digests of the blocks, for invariant S17; default false, as it takes time. */
  readonly tellsContent?: boolean;
  /** What was kept of the reservations when the target lost power; they are there again before the first command. */
  readonly aptpl?: AptplRecord;
  /**
   * Keeps them: called with the new record before a PERSISTENT RESERVE OUT that changed it ends with GOOD. When it throws
   * a `StoreError` nothing has changed, and the command ends with 4/44/00.
   */
  readonly saveAptpl?: (record: AptplRecord) => void;
}

/** A checked configuration with its defaults. */
export interface UnitSettings {
  readonly identity: Identity;
  readonly isWriteProtected: boolean;
  readonly isRemovable: boolean;
  readonly isThin: boolean;
  /** WCE: what is written is durable only after a flush. */
  readonly hasWriteCache: boolean;
  /** D_SENSE and TAS as they are after power on. */
  readonly senseFormat: SenseFormat;
  readonly hasTaskAbortedStatus: boolean;
  readonly maxTransferBlocks: number;
  /** MAXIMUM COMPARE AND WRITE LENGTH. */
  readonly maxCompareAndWriteBlocks: number;
  /** MAXIMUM WRITE SAME LENGTH. */
  readonly maxWriteSameBlocks: number;
  /** MAXIMUM ATOMIC TRANSFER LENGTH. */
  readonly maxAtomicBlocks: number;
  /** Blocks of a threshold set as a power of two; 0 when the unit has no thresholds. */
  readonly thresholdExponent: number;
  /** MAXIMUM UNMAP LBA COUNT of one command; 0 for thick units, like the next. */
  readonly maxUnmapBlocks: number;
  readonly maxUnmapDescriptors: number;
  readonly sanitizeTime: Nanos;
  readonly maxTasks: number;
  /** Logical blocks per physical block as a power of two: 4 KiB physical blocks, as a VHDX has them. */
  readonly physicalBlockExponent: number;
  readonly service: ServiceModel;
}

const MAX_TRANSFER_BYTES = 16 * 1024 * 1024;

/** @throws {ConfigError} when a text does not fit its field or a number makes no sense. */
export function unitSettings(config: LogicalUnitConfig): UnitSettings {
  const { lun, store, serial } = config;
  const at = `/logicalUnits/${lun}`;
  if (!Number.isInteger(lun) || lun < 0 || lun > 0x3fff) throw new ConfigError(at, `${lun}`, 'a LUN from 0 to 16383');
  const maxTransferBlocks = config.maxTransferBlocks ?? MAX_TRANSFER_BYTES / store.blockLength;
  const maxTasks = config.maxTasks ?? 4096;
  if (!(maxTransferBlocks > 0)) throw new ConfigError(`${at}/maxTransferBlocks`, `${maxTransferBlocks}`, 'at least 1');
  if (!(maxTasks > 0)) throw new ConfigError(`${at}/maxTasks`, `${maxTasks}`, 'at least 1');
  if (config.aptpl !== undefined) checkAptpl(config.aptpl);
  const isThin = config.isThin ?? false;
  if (isThin && (store.unmap === undefined || store.extentAt === undefined)) {
    throw new ConfigError(`${at}/isThin`, 'true', 'a store with unmap and extentAt');
  }
  const sanitizeTime = config.sanitizeTime ?? 8 * SECOND;
  if (!Number.isSafeInteger(sanitizeTime) || sanitizeTime < 0) {
    throw new ConfigError(`${at}/sanitizeTime`, `${sanitizeTime}`, 'a whole number of ns');
  }
  const naa = config.naa?.toLowerCase() ?? naaOf(serial);
  if (!/^6[0-9a-f]{31}$/.test(naa)) throw new ConfigError(`${at}/naa`, naa, '32 hex digits, the first one 6');
  return {
    identity: {
      vendor: ascii(`${at}/vendor`, config.vendor ?? 'Msft', 8),
      product: ascii(`${at}/product`, config.product ?? 'Virtual Disk', 16),
      revision: ascii(`${at}/revision`, config.revision ?? '1.0', 4),
      serial: ascii(`${at}/serial`, serial, 64),
      naa,
    },
    isWriteProtected: config.isWriteProtected ?? false,
    isRemovable: config.isRemovable ?? false,
    isThin,
    hasWriteCache: store.hasWriteCache ?? false,
    senseFormat: config.hasDescriptorSense === true ? 'descriptor' : 'fixed',
    hasTaskAbortedStatus: config.hasTaskAbortedStatus ?? false,
    maxTransferBlocks,
    maxCompareAndWriteBlocks: Math.min(255, maxTransferBlocks),
    maxWriteSameBlocks: 65_535,
    maxAtomicBlocks: Math.min(2048, maxTransferBlocks),
    thresholdExponent: isThin && store.mappedBlocks !== undefined ? thresholdExponent(store) : 0,
    maxUnmapBlocks: isThin ? 65_536 : 0,
    maxUnmapDescriptors: isThin ? 256 : 0,
    sanitizeTime,
    maxTasks,
    physicalBlockExponent: physicalBlockExponent(`${at}/physicalBlockLength`, config),
    service: config.service ?? DISK_SERVICE,
  };
}

/** 1 MiB, or so much more that a count of threshold sets fits its 32 bits. */
function thresholdExponent({ blocks, blockLength }: BlockStore): number {
  return Math.max(Math.log2((1024 * 1024) / blockLength), Math.ceil(Math.log2(blocks)) - 31);
}

function physicalBlockExponent(path: string, { store, physicalBlockLength }: LogicalUnitConfig): number {
  const exponent = Math.log2((physicalBlockLength ?? Math.max(4096, store.blockLength)) / store.blockLength);
  if (!Number.isInteger(exponent) || exponent < 0 || exponent > 15) {
    throw new ConfigError(
      path,
      `${physicalBlockLength}`,
      `${store.blockLength} bytes times a power of two up to 32768`,
    );
  }
  return exponent;
}

function ascii(path: string, text: string, longest: number): string {
  if (text === '' || text.length > longest || /[^\x20-\x7e]/.test(text)) {
    throw new ConfigError(path, text, `1 to ${longest} characters of printable ASCII`);
  }
  return text;
}

/** An identifier in Microsoft's range (IEEE company id 00-22-48, which Hyper-V's disks have), made of the serial. */
function naaOf(serial: string): string {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  const hash = murmur3(utf8Bytes(serial), 0);
  for (let i = 0; i < 3; i++) view.setUint32(4 * i, fmix32(hash + i));
  return `60022480${hex(bytes)}`;
}
