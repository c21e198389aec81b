export {
  ByteReader,
  ByteWriter,
  bytesEqual,
  concatBytes,
  getI64,
  getU64,
  setI64,
  setU64,
  u16At,
  u32At,
  viewOf,
} from './bytes.js';
export { type CalendarTime, calendarTime, formatCtime, formatDateTime, formatSyslogTime } from './calendar.js';
export { type Choices, DrawnChoices, SeededWorld, TAME_WORLD, type World } from './choices.js';
export { crc32, crc32c, crc32cRaw } from './crc.js';
export { DebugBuffer } from './debug-buffer.js';
export { strerror } from './errno-text.js';
export { AssertionError, assert, ConfigError, type TextPlace } from './errors.js';
export { EventQueue } from './event-queue.js';
export type { Fact, NodeStateFact, Observe, PowerState, Stamp, Stamped } from './fact.js';
export { HighWater } from './high-water.js';
export { type Check, Checker, defineInvariant, type Invariant, type Verdict, type Violation } from './invariant.js';
export { guarded, type Machine, MICROSECOND, MILLISECOND, type Nanos, SECOND } from './machine.js';
export { md5 } from './md5.js';
export { fmix32, murmur3, murmur3Of } from './murmur.js';
export { Prng, parseSeed, type Seed } from './prng.js';
export {
  type Errno,
  type FileInfo,
  type FileLock,
  type FileSystemSpace,
  type FileTimes,
  type InterfaceInfo,
  isErrno,
  type LockedFile,
  type LogPriority,
  type MountInfo,
  type Os,
  type ProcessInfo,
  type Program,
  type ProgramResult,
  type RunOptions,
  type ScsiReply,
  type Socket,
  type WallTime,
} from './program.js';
export {
  fork,
  join,
  PENDING,
  type ServeTask,
  sleep,
  type Task,
  type TaskId,
  type TaskInput,
  type TaskOutput,
  TaskRunner,
} from './task.js';
export { asciiBytes, cString, fromHex, hex, latin1, utf8Bytes, utf8Text } from './text.js';
export { WallClock, wallTimeOf } from './wall-clock.js';
