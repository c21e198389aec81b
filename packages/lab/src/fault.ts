import type { Nanos } from '@quorate/kernel';
import type { LinkParameters } from '@quorate/network';
import type { ProgramFault } from '@quorate/node';
import type { Impairment } from '@quorate/scsi';

/**
 * What can be made to go wrong beside power, pause and cables. Each replaces what the same fault did before, and stays until
 * it is set back: there is no end by itself.
 *
 * Links are named by the machines and hosts (`gateway`, `browser`) at their ends; without one, all.
 */
export type Fault =
  /** Links treat frames by these parameters from now on; those not given stay. */
  | {
      readonly kind: 'links';
      readonly from?: string;
      readonly to?: string;
      readonly parameters: Partial<LinkParameters>;
    }
  /** Links hold what they are given for so long, then deliver it in order. */
  | { readonly kind: 'clog'; readonly from?: string; readonly to?: string; readonly duration: Nanos }
  /** The machine's monotonic clock runs that much fast, in parts per million; 0 is a perfect clock. */
  | { readonly kind: 'clock-drift'; readonly machine: string; readonly ppm: number }
  /** The machine's wall clock jumps. */
  | { readonly kind: 'clock-step'; readonly machine: string; readonly offset: Nanos }
  /** The disks, those of storage hosts too, serve the machine so badly; `hungFor` is from now on. */
  | {
      readonly kind: 'disks';
      readonly machine: string;
      readonly impairment: Partial<Omit<Impairment, 'hungUntil'>> & { readonly hungFor?: Nanos };
    }
  | { readonly kind: 'program'; readonly machine: string; readonly fault: ProgramFault };

/** A fault of the network. */
export type LinkFault = Extract<Fault, { kind: 'links' | 'clog' }>;
/** A fault of the disks, as one machine has them. */
export type DiskFault = Extract<Fault, { kind: 'disks' }>;
/** A fault of one machine. */
export type MachineFault = Extract<Fault, { kind: 'clock-drift' | 'clock-step' | 'program' }>;
