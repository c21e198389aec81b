import { isErrno, type Os, type Task, utf8Text } from '@quorate/kernel';

/** A line of /etc/fstab. */
export interface FstabEntry {
  readonly device: string;
  readonly directory: string;
  readonly type: string;
  readonly options: string;
}

/** The lines of /etc/fstab that say something; none when there is no such file. */
export function* fstabEntries(os: Os): Task<readonly FstabEntry[]> {
  const fstab = yield* os.readFile('/etc/fstab');
  if (isErrno(fstab)) return [];
  const entries: FstabEntry[] = [];
  for (const line of utf8Text(fstab).split('\n')) {
    const [device = '', directory = '', type, options = 'defaults'] = line.trim().split(/\s+/);
    if (!device.startsWith('#') && type !== undefined) entries.push({ device, directory, type, options });
  }
  return entries;
}
