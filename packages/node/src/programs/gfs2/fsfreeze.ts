import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { parseOptions } from '../options.js';
import { mountedVolume } from './mounted-volume.js';

/**
 * `fsfreeze -f|-u DIRECTORY`: stops changes of a file system on all nodes, and resumes them.
 *
 * Source: fsfreeze(8).
 */
export function* fsfreeze(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'fu', values: '' });
  const isFreeze = flags.has('f');
  if (error !== undefined || isFreeze === flags.has('u') || operands.length !== 1) {
    os.printError(`fsfreeze: ${error ?? 'neither --freeze or --unfreeze specified'}\n`);
    return 1;
  }
  return yield* freezeOrThaw(os, 'fsfreeze', operands[0]!, isFreeze);
}

/** `gfs2_tool freeze|unfreeze DIRECTORY`: the same. Source: gfs2_tool(8) of RHEL 6. */
export function* gfs2Tool(argv: readonly string[], os: Os): Task<number> {
  const [, action, path] = argv;
  if ((action !== 'freeze' && action !== 'unfreeze') || path === undefined) {
    os.printError('Usage: gfs2_tool freeze|unfreeze <mountpoint>\n');
    return 255;
  }
  return yield* freezeOrThaw(os, 'gfs2_tool', path, action === 'freeze');
}

function* freezeOrThaw(os: Os, program: string, path: string, isFreeze: boolean): Task<number> {
  const volume = mountedVolume(os, path);
  const refused = volume === undefined ? 'EINVAL' : yield* ask(volume, { kind: isFreeze ? 'freeze' : 'thaw' });
  if (!isErrno(refused)) return 0;
  os.printError(`${program}: ${path}: ${isFreeze ? 'freeze' : 'unfreeze'} failed: ${strerror(refused)}\n`);
  return 1;
}
