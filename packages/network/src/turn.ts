import type { Nanos } from '@quorate/kernel';

/** The step under way, shared by the parts of a machine: its instant, and where outputs go. */
export interface Turn<Out> {
  now: Nanos;
  emit: (output: Out) => void;
}
