const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EALREADY: 'Operation already in progress',
  EBUSY: 'Device or resource busy',
  ECONNREFUSED: 'Connection refused',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ENAMETOOLONG: 'File name too long',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTCONN: 'Transport endpoint is not connected',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  EROFS: 'Read-only file system',
};

/** What strerror(3) of glibc says of an error's name, for those that our programs report; the name of any other. */
export function strerror(errno: string): string {
  return TEXTS[errno] ?? errno;
}
