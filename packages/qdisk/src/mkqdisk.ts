import { formatCtime, isErrno, type Os, type Program, type Task } from '@quorate/kernel';
import { MAX_NODES_DISK, statusSector } from './block.js';
import { formattedSectors } from './format.js';
import { HEADER_MAGIC, HEADER_MAGIC_OLD } from './quorum-header.js';
import { type BlockDevice, isLargeEnough, labelText, readHeader, scanQuorumDisks } from './scan.js';
import { DiskState, decodeStatus, type StatusBlock, stateName } from './status-block.js';

/** The cman release whose behaviour this is. */
const RELEASE_VERSION = '3.0.12.1';

/** syslog's numbers, which mkqdisk counts `-d` in. */
const LOG_ERR = 3;
const LOG_INFO = 6;
const LOG_DEBUG = 7;

/** -1, as a shell sees it. */
const FAILURE = 255;

interface Options {
  mode: 'list' | 'find' | 'create' | 'help';
  device: string | undefined;
  label: string | undefined;
  verbosity: number;
}

/**
 * mkqdisk: lists quorum disks (`-L`, `-f label`) and makes them (`-c device -l label`).
 *
 * `devices` tells which block devices a machine has, in the order of its scan.
 * Source: cluster.git cman/qdisk/mkqdisk.c, proc.c, disk.c.
 */
export function mkqdiskProgram(devices: (os: Os) => readonly BlockDevice[]): Program {
  return function* mkqdisk(argv, os) {
    os.print(`mkqdisk v${RELEASE_VERSION}\n\n`);
    const options = parseOptions(argv, os);
    switch (options.mode) {
      case 'help':
        os.print('usage: mkqdisk -L | -f <label> | -c <device> -l <label> [-d]\n');
        return 0;
      case 'list':
        return yield* list(os, devices(os), undefined, options.verbosity);
      case 'find':
        return yield* list(os, devices(os), options.label, options.verbosity);
      case 'create':
        return yield* create(os, devices(os), options);
    }
  };
}

function parseOptions(argv: readonly string[], os: Os): Options {
  const options: Options = { mode: 'create', device: undefined, label: undefined, verbosity: 1 };
  const rest = argv.slice(1);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-') || word.length < 2) continue;
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      if ('fcl'.includes(letter)) {
        const value = word.slice(i + 1) || rest.shift();
        if (value === undefined) os.printError(`mkqdisk: option requires an argument -- '${letter}'\n`);
        else takeValue(options, letter, value);
        break;
      }
      takeFlag(options, letter, os);
      if (options.mode === 'help') return options;
    }
  }
  return options;
}

function takeFlag(options: Options, letter: string, os: Os): void {
  if (letter === 'd') options.verbosity = Math.min(LOG_DEBUG, options.verbosity + 1);
  else if (letter === 'L') options.mode = 'list';
  else if (letter === 'h') options.mode = 'help';
  else os.printError(`mkqdisk: invalid option -- '${letter}'\n`);
}

function takeValue(options: Options, letter: string, value: string): void {
  if (letter === 'c') options.device = value;
  else options.label = value;
  if (letter === 'f') options.mode = 'find';
}

function* list(os: Os, devices: readonly BlockDevice[], label: string | undefined, verbosity: number): Task<number> {
  const found = yield* scanQuorumDisks(devices, label);
  if (found.length === 0) return FAILURE;
  for (const labelled of found) {
    os.print(labelText(labelled));
    if (verbosity >= 2) yield* printStatusBlocks(os, labelled.device, verbosity);
  }
  return 0;
}

function* printStatusBlocks(os: Os, device: BlockDevice, verbosity: number): Task {
  for (let nodeId = 1; nodeId <= MAX_NODES_DISK; nodeId++) {
    const sector = yield* device.readSector(statusSector(nodeId, device.sectorSize));
    const status = isErrno(sector) ? undefined : decodeStatus(sector);
    if (status === undefined || typeof status === 'string') {
      if (verbosity >= LOG_ERR) os.printError(`Error reading node ID block ${nodeId}\n`);
    } else if (verbosity >= LOG_INFO && status.state !== DiskState.NONE) os.printError(statusBlockText(status));
  }
}

function statusBlockText(status: StatusBlock): string {
  return [
    `Status block for node ${status.nodeId}`,
    `\tLast updated by node ${status.updateNode}`,
    `\tLast updated on ${formatCtime(status.timestamp)}`,
    `\tState: ${stateName(status.state)}`,
    `\tFlags: ${status.flags.toString(16).padStart(4, '0')}`,
    `\tScore: ${status.score}/${status.scoreMax}`,
    `\tAverage Cycle speed: ${secondsText(status.meanWriteMicros)} seconds`,
    `\tLast Cycle speed: ${secondsText(status.lastWriteMicros)} seconds`,
    `\tIncarnation: ${status.incarnation}`,
    '',
  ].join('\n');
}

function secondsText(micros: number): string {
  return `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, '0')}`;
}

function* create(os: Os, devices: readonly BlockDevice[], { device: path, label, verbosity }: Options): Task<number> {
  if (path === undefined && label === undefined) {
    os.print('usage: mkqdisk -L | -f <label> | -c <device> -l <label>\n');
    return 1;
  }
  if (path === undefined || label === undefined) {
    os.print('Both a device and a label are required\n');
    return 1;
  }
  os.print(`Writing new quorum disk label '${label}' to ${path}.\n`);
  os.print(`WARNING: About to destroy all data on ${path}; proceed [N/y] ? `);
  if (os.input[0] !== 'y') {
    os.print('Good thinking.\n');
    return 0;
  }
  const device = devices.find((candidate) => candidate.paths.includes(path));
  if (device === undefined || !isLargeEnough(device)) {
    if (device !== undefined && verbosity >= LOG_ERR) os.printError(`Partition ${path} too small\n`);
    return FAILURE;
  }
  return yield* initialize(os, device, label);
}

function* initialize(os: Os, device: BlockDevice, label: string): Task<number> {
  const old = yield* readHeader(device);
  if (old?.magic === HEADER_MAGIC) os.print('Warning: Initializing previously initialized partition\n');
  else if (old?.magic === HEADER_MAGIC_OLD) os.print('Warning: Red Hat Cluster Manager 1.2.x header found\n');
  const options = { label, host: os.hostname, wall: os.wall().sec, sectorSize: device.sectorSize };
  for (const { sector, nodeId, bytes } of formattedSectors(options)) {
    if (nodeId > 0) os.print(`Initializing status block for node ${nodeId}...\n`);
    const errno = yield* device.writeSector(sector, bytes);
    if (errno === undefined) continue;
    if (nodeId > 0) os.print(`Error writing node ID block ${nodeId}\n`);
    return FAILURE;
  }
  return 0;
}
