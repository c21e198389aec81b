import type { Family } from '../family.js';
import { fenceFails, fenceSlow, serviceFails } from './agents.js';
import { drift, step } from './clock.js';
import { hang, path, reserveDelay, slow } from './disk.js';
import { burst, clog, corrupt, duplicate, latency, loss, reorder } from './net.js';
import { asymmetric, flap, shape, symmetric } from './part.js';
import { crash, daemon, domain, pause, torn } from './proc.js';

/** The names of the families, as they stand in logs. */
export const FAMILY_NAMES = [
  'net.loss',
  'net.burst',
  'net.dup',
  'net.reorder',
  'net.corrupt',
  'net.latency',
  'net.clog',
  'part.sym',
  'part.asym',
  'part.flap',
  'part.shape',
  'clock.drift',
  'clock.step',
  'proc.crash',
  'proc.daemon',
  'proc.pause',
  'power.domain',
  'disk.slow',
  'disk.hang',
  'disk.torn',
  'disk.path',
  'pr.delay',
  'fence.fail',
  'fence.slow',
  'svc.fail',
] as const;

export type FamilyName = (typeof FAMILY_NAMES)[number];

/** The families of faults. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  'net.loss': loss,
  'net.burst': burst,
  'net.dup': duplicate,
  'net.reorder': reorder,
  'net.corrupt': corrupt,
  'net.latency': latency,
  'net.clog': clog,
  'part.sym': symmetric,
  'part.asym': asymmetric,
  'part.flap': flap,
  'part.shape': shape,
  'clock.drift': drift,
  'clock.step': step,
  'proc.crash': crash,
  'proc.daemon': daemon,
  'proc.pause': pause,
  'power.domain': domain,
  'disk.slow': slow,
  'disk.hang': hang,
  'disk.torn': torn,
  'disk.path': path,
  'pr.delay': reserveDelay,
  'fence.fail': fenceFails('fence_scsi'),
  'fence.slow': fenceSlow('fence_scsi'),
  'svc.fail': serviceFails,
};

/** Those that need a shared disk or services, and damage to packets. */
const BEYOND_PLAIN = [
  'net.corrupt',
  'disk.slow',
  'disk.hang',
  'disk.torn',
  'disk.path',
  'pr.delay',
  'svc.fail',
] as const;

export type PlainFamilyName = Exclude<FamilyName, (typeof BEYOND_PLAIN)[number]>;

/** The names of the plain families, in the order of all. */
export const PLAIN_FAMILY_NAMES: readonly PlainFamilyName[] = FAMILY_NAMES.filter(isPlain);

function isPlain(name: FamilyName): name is PlainFamilyName {
  return !(BEYOND_PLAIN as readonly FamilyName[]).includes(name);
}

/** The families of machines that share no disk, have no services, and fence each other through a power switch. */
export const PLAIN_FAMILIES: Readonly<Record<PlainFamilyName, Family>> = {
  ...FAMILIES,
  'fence.fail': fenceFails('fence_power'),
  'fence.slow': fenceSlow('fence_power'),
};
