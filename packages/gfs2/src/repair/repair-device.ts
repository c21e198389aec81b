import type { ReadableDevice, WritableDevice } from '../device.js';

/** A device that a repair works on. */
export type RepairDevice = ReadableDevice & WritableDevice;
