import { isErrno, utf8Text } from '@quorate/kernel';
import { type ConfigNode, ConfigSyntaxError, parseConfig } from '@quorate/volumes';
import type { RootFiles } from './files.js';

const LVM_CONF = '/etc/lvm/lvm.conf';

/** What lvm.conf says; nothing when there is none, or when it cannot be read. */
export function readLvmConf(files: RootFiles): readonly ConfigNode[] {
  const bytes = files.read(LVM_CONF);
  if (isErrno(bytes)) return [];
  try {
    return parseConfig(utf8Text(bytes));
  } catch (error) {
    if (error instanceof ConfigSyntaxError) return [];
    throw error;
  }
}
