export { type FieldType, type FieldValue, KINDS, type KindName, type RecordKind } from './kinds.js';
export { DRIVER_NODE } from './layout.js';
export { TraceError, TraceFile, type TraceRecord } from './reader.js';
export { type RingRecord, TraceRing } from './ring.js';
export { writeRing } from './ring-file.js';
export { RunTrace } from './run-trace.js';
export { VarintReader, VarintWriter } from './varint.js';
export { type TraceHeader, TraceWriter } from './writer.js';
