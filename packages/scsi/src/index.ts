export {
  inquiry,
  modeSense6,
  modeSense10,
  type OutCommand,
  persistentReserveIn,
  persistentReserveOut,
  type ReserveOutOptions,
  read10,
  read16,
  readCapacity10,
  readCapacity16,
  registerAndMove,
  release6,
  reportLuns,
  requestSense,
  reserve6,
  synchronizeCache10,
  synchronizeCache16,
  testUnitReady,
  write10,
  write16,
} from './cdb.js';
export { type BlockRange, compareAndWrite, getLbaStatus, unmap, unmapSame16, writeSame16 } from './cdb-thin.js';
export { decodeLbaStatus, type LbaStatus } from './commands/get-lba-status.js';
export { decodeInquiry, type InquiryData } from './commands/inquiry.js';
export { decodeModePages } from './commands/mode-sense.js';
export { type Capacity, decodeCapacity10, decodeCapacity16 } from './commands/read-capacity.js';
export { decodeLuns } from './commands/report-luns.js';
export { type Designator, decodeDesignators, decodeVpd, VpdPage } from './commands/vital-product-data.js';
export { dataInLength, dataOutLength } from './data-transfer.js';
export { DISK_DURABLE } from './disk-durable.js';
export type {
  AbortReason,
  CapacityChangedFact,
  CommandAbortedFact,
  CommandEnabledFact,
  CommandEndedFact,
  PowerCycledFact,
  ReadFact,
  ReservationAction,
  ReservationChangedFact,
  ScsiFact,
  StoreFaultFact,
  WrittenFact,
} from './facts.js';
export type { Impairment } from './impairment.js';
export { invariants } from './invariants.js';
export { MaintenanceIn, Opcode, ReserveIn, ReserveOut, ServiceActionIn16 } from './opcode.js';
export { type AptplRecord, type AptplRegistration, decodeAptpl, encodeAptpl } from './reservation/aptpl-record.js';
export type { RegisterAndMoveParameters } from './reservation/parameter-list.js';
export { ReservationType } from './reservation/reservation-type.js';
export {
  decodeCapabilities,
  decodeFullStatus,
  decodeKeys,
  decodeReservation,
  type FullStatus,
  type HeldReservation,
  type RegistrationStatus,
  type ReservationKeys,
  type ReserveCapabilities,
} from './reservation/reserve-in-data.js';
export { isSameSense, type Sense, type SenseField, SenseKey, senseOf, senseText } from './sense.js';
export { DISK_SERVICE, IMMEDIATE_SERVICE, type ServiceModel } from './service-model.js';
export { Status } from './status.js';
export { type BlockStore, PAGE_BYTES, type StoreExtent, type StorePage } from './store/block-store.js';
export type { ByteFile } from './store/byte-file.js';
export { FaultyStore, type StoreFault } from './store/faulty-store.js';
export { FileStore, type FileStoreOptions } from './store/file-store.js';
export { MemoryFile } from './store/memory-file.js';
export { SparseStore, type SparseStoreOptions } from './store/sparse-store.js';
export { StoreError, type StoreFailure } from './store/store-error.js';
export { pagesOf } from './store/store-pages.js';
export {
  ScsiTarget,
  type TargetConfig,
  type TargetInput,
  type TargetOutput,
  type TaskManagementFunction,
  type TaskManagementResponse,
} from './target.js';
export type { TaskAttribute } from './task.js';
export { type InitiatorPort, portName } from './transport-id.js';
export type { LogicalUnitConfig } from './unit-config.js';
export type { UnitEvent } from './unit-event.js';
export type { UnitResponse } from './unit-response.js';
