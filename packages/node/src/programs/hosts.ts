import { isErrno, type Os, type Task, utf8Text } from '@quorate/kernel';

const DOTTED = /^\d{1,3}(\.\d{1,3}){3}$/;

/** The IPv4 address of a host: itself if it is one, else the one that /etc/hosts gives; undefined if unknown. */
export function* resolveHost(os: Os, host: string): Task<string | undefined> {
  if (DOTTED.test(host)) return host;
  const hosts = yield* os.readFile('/etc/hosts');
  if (isErrno(hosts)) return undefined;
  for (const line of utf8Text(hosts).split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address !== undefined && DOTTED.test(address) && names.includes(host)) return address;
  }
  return undefined;
}
