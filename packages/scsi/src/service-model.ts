import { MICROSECOND, MILLISECOND, type Nanos } from '@quorate/kernel';

/** What kind of work a command is for the disk behind the target. */
export type ServiceClass = 'read' | 'write' | 'flush' | 'other';

/** How long the disk behind a logical unit takes. */
export interface ServiceModel {
  /** Least time of a read, and the mean of the exponential time on top. */
  readonly readBase: Nanos;
  readonly readMean: Nanos;
  readonly writeBase: Nanos;
  readonly writeMean: Nanos;
  readonly flush: Nanos;
  /** Commands that do not touch the medium, PERSISTENT RESERVE among them, and refused ones. */
  readonly other: Nanos;
  /** Commands in service at a time; the rest queue. */
  readonly inService: number;
  /** Time on the path that all initiators of the unit share. */
  readonly nanosPerByte: number;
}

/** A disk array on a fast network: 200 MB/s, 32 commands at a time. Source: simulation specification, 7.2. */
export const DISK_SERVICE: ServiceModel = {
  readBase: 100 * MICROSECOND,
  readMean: 200 * MICROSECOND,
  writeBase: 150 * MICROSECOND,
  writeMean: 300 * MICROSECOND,
  flush: MILLISECOND,
  other: 50 * MICROSECOND,
  inService: 32,
  nanosPerByte: 5,
};

/**
 * No disk behind the target: whatever has its turn is carried out and answered within the step that brought it.
 *
 * For targets that serve real initiators, where the store itself takes the time. Impairments still count.
 */
export const IMMEDIATE_SERVICE: ServiceModel = {
  readBase: 0,
  readMean: 0,
  writeBase: 0,
  writeMean: 0,
  flush: 0,
  other: 0,
  inService: 32,
  nanosPerByte: 0,
};

/** Whether no command takes any time by that model. */
export function isImmediate(model: ServiceModel): boolean {
  const { readBase, readMean, writeBase, writeMean, flush, other, nanosPerByte } = model;
  return readBase + readMean + writeBase + writeMean + flush + other + nanosPerByte === 0;
}

/** Least service time of a command, without its transfer. */
export function baseTime(model: ServiceModel, service: ServiceClass): Nanos {
  switch (service) {
    case 'read':
      return model.readBase;
    case 'write':
      return model.writeBase;
    case 'flush':
      return model.flush;
    case 'other':
      return model.other;
  }
}

/** Mean of the extra time; 0 for what always takes the same. */
export function meanExtraTime(model: ServiceModel, service: ServiceClass): Nanos {
  return service === 'read' ? model.readMean : service === 'write' ? model.writeMean : 0;
}
