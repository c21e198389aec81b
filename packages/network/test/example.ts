import { Prng, SECOND, SeededWorld } from '@quorate/kernel';
import { type IpInput, IpStack, Network, type NetworkInput } from '@quorate/network';

const seed = { hi: 0, lo: 8 };
const nics = [0, 1].map((n) => ({ nic: n, name: 'eth0', mac: `02:00:00:00:00:0${n}`, addresses: [`10.0.0.${n}/8`] }));
const network = new Network({ nics, world: new SeededWorld(seed), link: { loss: 0.4 } });
const hosts = nics.map((nic) => new IpStack({ interfaces: [nic], prng: Prng.derive(seed, nic.mac) }));
export const log: string[] = [];
function toHost(now: number, nic: number, input: IpInput): void {
  hosts[nic]!.step(now, input, (output) => {
    if (output.kind === 'frame') toNetwork(now, { kind: 'send', nic, bytes: output.bytes });
    else log.push(`${now / 1e6} ms: host ${nic}: ${output.kind}`);
  });
}
function toNetwork(now: number, input: NetworkInput): void {
  const arrived: [number, IpInput][] = [];
  network.step(now, input, (output) => {
    if (output.kind === 'dropped') log.push(`${now / 1e6} ms: from ${output.from} to ${output.to}: ${output.reason}`);
    else arrived.push([output.nic, { kind: 'frame', interface: 0, bytes: output.bytes.slice() }]);
  });
  for (const [nic, frame] of arrived) toHost(now, nic, frame);
}
toHost(0, 0, { kind: 'echo', id: 1, to: '10.0.0.1', ttl: 64, seq: 1, timeout: 5 * SECOND });
for (let now = 0; now < 2 * SECOND; now = Math.min(network.deadline(), ...hosts.map((host) => host.deadline()))) {
  toNetwork(now, { kind: 'wake' });
  for (const nic of [0, 1]) toHost(now, nic, { kind: 'wake' });
}
