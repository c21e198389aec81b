import { type CheckPass, check, type Finding, type RepairDevice, repair } from '@quorate/gfs2';
import { isErrno, type Nanos, type Os, type Program, SECOND, strerror } from '@quorate/kernel';
import type { BlockDevice } from '../../os/disks.js';
import { sectorDevice } from '../../os/sector-device.js';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { withVolume } from './volume-in-memory.js';

/** Exit codes. Source: fsck.gfs2(8). */
const Exit = { clean: 0, corrected: 1, errorsLeft: 4, operational: 8, usage: 16 } as const;

/** What was found, and what of it was not mended. */
interface Verdict {
  readonly found: readonly Finding[];
  readonly left: readonly Finding[];
  /** What reading took. */
  readonly time: Nanos;
}

/**
 * `fsck.gfs2 [-afhnpqvy] DEVICE`: checks a file system that nobody has mounted. `-n` changes nothing, `-y` mends all, `-a` and `-p`
 * mend what a crash has left; otherwise it asks, once. Says so if this node has it mounted; others it cannot see.
 *
 * Findings are in words of our own, at their places in what the original prints.
 *
 * Source: gfs2-utils 3.5 gfs2/fsck.
 */
export function fsckGfs2({ disks, prng }: Storage): Program {
  return function* (argv, os) {
    const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'afhnpqVvy', values: '' });
    const [path] = operands;
    if (flags.has('h')) {
      os.print('Usage: fsck.gfs2 [-afhnpqvVy] <device> \n');
      return Exit.usage;
    }
    if (error !== undefined || path === undefined) {
      const what = error === undefined ? 'No device specified (' : `fsck.gfs2: ${error}\n`;
      os.printError(`${what}Please use '-h' for help${error === undefined ? ')' : '.'}\n`);
      return Exit.usage;
    }
    const isLooking = flags.has('n');
    if (isLooking && flags.has('y')) {
      os.printError('fsck.gfs2: found -n and -y, expected one of them\n');
      return Exit.usage;
    }
    const say = (text: string): void => {
      if (!flags.has('q')) os.print(text);
    };
    say('Initializing fsck\n');
    const device = disks.device(path);
    if (device === undefined) {
      os.printError(`Unable to open device: ${path}\n`);
      return Exit.usage;
    }
    if (!isLooking && os.mounts().some((mount) => disks.device(mount.device) === device)) {
      os.printError(`Device ${path} is busy.\n`);
      return Exit.usage;
    }
    const began = os.now();
    const over = <T>(work: (volume: RepairDevice) => T) => withVolume(sectorDevice(device), work);
    const findings = yield* over((volume) => check(volume));
    if (isErrno(findings)) return unreadable(os, device, strerror(findings));
    const isPreening = flags.has('a') || flags.has('p');
    if (isPreening && !flags.has('f') && findings.length === 0) {
      say(`${path}: clean.\n`);
      return Exit.clean;
    }
    const isMending = !isLooking && findings.length > 0 && (flags.has('y') || isPreening || isAsked(os, findings));
    const wall = os.wall();
    const mended = isMending ? yield* over((volume) => repair(volume, { wall, prng })) : undefined;
    if (isErrno(mended)) return unreadable(os, device, strerror(mended));
    const { found, left } = mended ?? { found: findings, left: findings };
    say(reportOf({ found, left, time: os.now() - began }));
    if (left.some(({ rule }) => rule === 'superblock')) return Exit.operational;
    if (left.length > 0) return Exit.errorsLeft;
    return found.length > 0 ? Exit.corrected : Exit.clean;
  };
}

function unreadable(os: Os, { path }: BlockDevice, why: string): number {
  os.printError(`fsck.gfs2: ${path}: ${why}\n`);
  return Exit.operational;
}

function isAsked(os: Os, findings: readonly Finding[]): boolean {
  os.print(`${findings.map(lineOf).join('')}Okay to fix what was found? (y/n) `);
  const isSure = /^\s*y/i.test(os.input);
  os.print('\n');
  return isSure;
}

/** Passes as they are called in the output, in order. Bitmaps are reconciled at the end of pass1. */
const LATER_PASSES: readonly (readonly [string, CheckPass])[] = [
  ['pass1b', 'pass1b'],
  ['pass2', 'pass2'],
  ['pass3', 'pass3'],
  ['pass4', 'pass4'],
  ['check_statfs', 'statfs'],
];

function reportOf({ found, left, time }: Verdict): string {
  const texts = new Set(left.map(({ text }) => text));
  const ofPass = (wanted: CheckPass): string =>
    found
      .filter(({ pass }) => pass === wanted)
      .map((finding) => `${texts.has(finding.text) ? '' : 'Fixed: '}${lineOf(finding)}`)
      .join('');
  const seconds = `${(time / SECOND).toFixed(3)}s`;
  const isSound = !found.some(({ pass }) => pass === 'rindex');
  const later = LATER_PASSES.map(
    ([name, pass]) => `Starting ${name}\n${ofPass(pass)}${name} completed in 0.000s\n`,
  ).join('');
  return `${ofPass('initialize')}Validating resource group index.
Level 1 resource group check: Checking if all rgrp and rindex values are good.
${ofPass('rindex')}(level 1 ${isSound ? 'passed' : 'failed'})
Starting pass1
${ofPass('pass1')}Reconciling bitmaps.
${ofPass('reconcile')}reconcile_bitmaps completed in 0.000s
pass1 completed in ${seconds}
${later}${ofPass('quota')}fsck.gfs2 complete
`;
}

function lineOf({ block, text }: Finding): string {
  return `Block ${block}: ${text}\n`;
}
