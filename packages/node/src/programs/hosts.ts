import { isErrno, type Os, type Task, utf8Text } from '@quorate/kernel';
import { parseIpv4 } from '@quorate/network';

/** All names that the text of an /etc/hosts gives addresses to. */
export function namesInHosts(hosts: string): readonly string[] {
  return hosts.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
}

/** The IPv4 address that the text of an /etc/hosts gives to a name; undefined if it gives none. */
export function addressInHosts(hosts: string, name: string): string | undefined {
  for (const line of hosts.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (names.includes(name) && parseIpv4(address) !== undefined) return address;
  }
  return undefined;
}

/** The IPv4 address of a host: itself if it is one, else the one that /etc/hosts gives; undefined if unknown. */
export function* resolveHost(os: Os, host: string): Task<string | undefined> {
  if (parseIpv4(host) !== undefined) return host;
  const hosts = yield* os.readFile('/etc/hosts');
  return isErrno(hosts) ? undefined : addressInHosts(utf8Text(hosts), host);
}
