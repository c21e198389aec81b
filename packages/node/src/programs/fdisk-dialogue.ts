import type { Os, Task } from '@quorate/kernel';
import {
  addPartition,
  diskGeometry,
  fdiskReport,
  type NewPartition,
  type PartitionTable,
  partitionTypeName,
  removePartition,
  setPartitionType,
  VolumeError,
  writePartitionTable,
} from '@quorate/volumes';
import type { BlockDevice } from '../os/disks.js';
import { sectorDevice } from '../os/sector-device.js';
import type { Storage } from '../os/storage.js';

const NEW_TABLE = (signature: number): string =>
  `Building a new DOS disklabel with disk identifier 0x${signature.toString(16).padStart(8, '0')}.
Changes will remain in memory only, until you decide to write them.
After that, of course, the previous content won't be recoverable.

`;

const NO_TABLE = 'Device contains neither a valid DOS partition table, nor Sun, SGI or OSF disklabel\n';

const DOS_MODE = `
WARNING: DOS-compatible mode is deprecated. It's strongly recommended to
         switch off the mode (command 'c') and change display units to
         sectors (command 'u').
`;

const MENU = `Command action
   d   delete a partition
   l   list known partition types
   m   print this menu
   n   add a new partition
   o   create a new empty DOS partition table
   p   print the partition table
   q   quit without saving changes
   t   change a partition's system id
   w   write table to disk and exit
`;

/** The lines are at an end, and there is somebody at the other end who was asked. */
class EndOfInput extends Error {}

/**
 * `fdisk DISK` in the words of util-linux-ng 2.17: questions, and answers from standard input. Cylinders are the unit, as there.
 *
 * Without the expert menu, and the commands a, b, c, s, u and v.
 */
export class FdiskDialogue {
  readonly #os: Os;
  readonly #storage: Storage;
  readonly #disk: BlockDevice;
  readonly #lines: string[];
  #table: PartitionTable;

  /** `table`: what stands on the disk. */
  constructor(os: Os, storage: Storage, disk: BlockDevice, table: PartitionTable | undefined) {
    this.#os = os;
    this.#storage = storage;
    this.#disk = disk;
    this.#lines = os.input === '' ? [] : os.input.replace(/\n$/, '').split('\n');
    if (table === undefined) os.print(NO_TABLE);
    this.#table = table ?? this.#newTable();
    os.print(DOS_MODE);
  }

  *run(): Task<number> {
    try {
      for (;;) {
        const command = this.#ask('\nCommand (m for help): ').trim();
        if (command === 'q') return 0;
        if (command === 'w') return yield* this.#write();
        try {
          this.#obey(command);
        } catch (error) {
          if (!(error instanceof VolumeError)) throw error;
          this.#os.print(`${error.message}\n`);
        }
      }
    } catch (error) {
      if (!(error instanceof EndOfInput)) throw error;
      this.#os.print('got EOF thrice - exiting..\n');
      return 1;
    }
  }

  #obey(command: string): void {
    const print = (text: string): void => this.#os.print(text);
    switch (command) {
      case 'd': {
        const number = this.#existing();
        if (number !== undefined) this.#table = removePartition(this.#table, number);
        break;
      }
      case 'l':
        print('\n');
        for (const type of [0x05, 0x07, 0x0b, 0x82, 0x83, 0x8e, 0xfd]) {
          print(` ${type.toString(16).padStart(2)}  ${partitionTypeName(type)}\n`);
        }
        break;
      case 'm':
        print(MENU);
        break;
      case 'n':
        this.#add();
        break;
      case 'o':
        this.#table = this.#newTable();
        break;
      case 'p':
        print(fdiskReport(this.#disk.path, this.#disk.blocks, this.#table));
        break;
      case 't':
        this.#changeType();
        break;
      default:
        if (command !== '') print(`${command.charAt(0)}: unknown command\n${MENU}`);
    }
  }

  #newTable(): PartitionTable {
    const signature = this.#storage.prng.below(0x1_0000_0000);
    this.#os.print(NEW_TABLE(signature));
    return { signature, partitions: [] };
  }

  #add(): void {
    const hasExtended = this.#table.partitions.some(({ type }) => type === 0x05 || type === 0x0f);
    const kinds: Readonly<Record<string, NewPartition['kind']>> = hasExtended
      ? { l: 'logical', p: 'primary' }
      : { e: 'extended', p: 'primary' };
    const first = hasExtended ? '   l   logical (5 or over)' : '   e   extended';
    const kind = kinds[this.#ask(`Command action\n${first}\n   p   primary partition (1-4)\n`).trim()];
    if (kind === undefined) return;
    const wanted: NewPartition = { diskSectors: this.#disk.blocks, kind, ...this.#numberFor(kind) };
    const { cylinders, heads, sectorsPerTrack } = diskGeometry(this.#disk.blocks);
    const unit = heads * sectorsPerTrack;
    const proposed = this.#added(wanted);
    const lowest = Math.floor(proposed.start / unit) + 1;
    const firstCylinder = this.#cylinder('First cylinder', lowest, lowest, cylinders);
    const { start, sectors } = this.#added({ ...wanted, firstCylinder });
    const highest = Math.floor((start + sectors) / unit);
    const title = 'Last cylinder, +cylinders or +size{K,M,G}';
    const last = this.#ask(`${title} (${firstCylinder}-${highest}, default ${highest}): `).trim();
    if (last === '') this.#os.print(`Using default value ${highest}\n`);
    this.#table = addPartition(this.#table, { ...wanted, firstCylinder, ...(last !== '' && { last }) });
  }

  #numberFor(kind: NewPartition['kind']): { readonly number?: number } {
    if (kind === 'logical') return {};
    const taken = this.#table.partitions.map(({ number }) => number);
    const free = [1, 2, 3, 4].filter((number) => !taken.includes(number));
    if (free.length === 1) {
      this.#os.print(`Selected partition ${free[0]}\n`);
      return { number: free[0]! };
    }
    return { number: this.#number('Partition number (1-4): ', 1, 4) };
  }

  /** Where a partition would be. */
  #added(wanted: NewPartition): { readonly start: number; readonly sectors: number } {
    const before = this.#table.partitions;
    return addPartition(this.#table, wanted).partitions.find(
      ({ start }) => !before.some((old) => old.start === start),
    )!;
  }

  #cylinder(title: string, from: number, otherwise: number, to: number): number {
    for (;;) {
      const answer = this.#ask(`${title} (${from}-${to}, default ${otherwise}): `).trim();
      if (answer === '') {
        this.#os.print(`Using default value ${otherwise}\n`);
        return otherwise;
      }
      const number = Number(answer);
      if (/^\d+$/.test(answer) && number >= from && number <= to) return number;
      this.#os.print('Value out of range.\n');
    }
  }

  #number(question: string, from: number, to: number): number {
    for (;;) {
      const number = Number(this.#ask(question));
      if (Number.isInteger(number) && number >= from && number <= to) return number;
      this.#os.print('Value out of range.\n');
    }
  }

  #existing(): number | undefined {
    const numbers = this.#table.partitions.map(({ number }) => number);
    if (numbers.length === 0) {
      this.#os.print('No partition is defined yet!\n');
      return undefined;
    }
    if (numbers.length === 1) {
      this.#os.print(`Selected partition ${numbers[0]}\n`);
      return numbers[0];
    }
    const highest = Math.max(4, ...numbers);
    return this.#number(`Partition number (1-${highest}): `, 1, highest);
  }

  #changeType(): void {
    const number = this.#existing();
    if (number === undefined) return;
    for (;;) {
      const answer = this.#ask('Hex code (type L to list codes): ').trim();
      if (/^l$/i.test(answer)) this.#obey('l');
      else if (/^[0-9a-f]{1,2}$/i.test(answer)) {
        const type = Number.parseInt(answer, 16);
        this.#table = setPartitionType(this.#table, number, type);
        const code = type.toString(16);
        this.#os.print(`Changed system type of partition ${number} to ${code} (${partitionTypeName(type)})\n`);
        return;
      }
    }
  }

  *#write(): Task<number> {
    yield* writePartitionTable(sectorDevice(this.#disk), this.#table);
    this.#os.print('The partition table has been altered!\n\nCalling ioctl() to re-read partition table.\n');
    if ((yield* this.#storage.partitions.scan(this.#disk)) !== undefined) {
      this.#os.print(`
WARNING: Re-reading the partition table failed with error 16: Device or resource busy.
The kernel still uses the old table. The new table will be used at
the next reboot or after you run partprobe(8) or kpartx(8)
`);
    }
    this.#os.print('Syncing disks.\n');
    return 0;
  }

  /** @throws {EndOfInput} */
  #ask(question: string): string {
    this.#os.print(question);
    const line = this.#lines.shift();
    if (line === undefined) throw new EndOfInput();
    return line;
  }
}
