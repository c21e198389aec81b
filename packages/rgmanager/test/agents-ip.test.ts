import { beforeEach, describe, expect, it } from 'vitest';
import { isInNetwork, parseIpv4 } from '../src/agents/ipv4.js';
import { type Attributes, type Ending, FakeMachine } from './agents-os.js';

let machine: FakeMachine;

beforeEach(() => {
  machine = new FakeMachine();
  machine.interfaces.push(
    { name: 'lo', mac: '00:00:00:00:00:00', isUp: true, hasCarrier: true, addresses: ['127.0.0.1/8'] },
    { name: 'eth0', mac: '00:15:5d:4c:4a:01', isUp: true, hasCarrier: true, addresses: ['10.156.76.74/22'] },
    { name: 'eth1', mac: '00:15:5d:4c:4a:11', isUp: true, hasCarrier: true, addresses: ['192.168.7.1/24'] },
  );
});

describe('ip', () => {
  const ADDRESS = '10.156.76.58';
  const start = (attributes: Attributes = {}): Ending =>
    machine.agent('ip', 'start', { address: ADDRESS, ...attributes });

  it('starts in 3 s: a ping that nobody answers, the address, gratuitous ARP', () => {
    expect(start()).toMatchObject({ status: 0, seconds: 3 });
    expect(machine.done).toEqual([
      `run ping -c 1 -w 2 -I eth0 ${ADDRESS}`,
      `add ${ADDRESS}/22 to eth0`,
      `run arping -q -c 2 -U -I eth0 ${ADDRESS}`,
    ]);
    expect(machine.logged('info', 'warning', 'err')).toEqual([`info [ip] Adding IPv4 address ${ADDRESS}/22 to eth0`]);
    expect(machine.logged('debug')).toEqual([
      'debug [ip] Link for eth0: Detected',
      `debug [ip] Pinging addr ${ADDRESS} from dev eth0`,
      `debug [ip] Sending gratuitous ARP: ${ADDRESS} 00:15:5d:4c:4a:01 brd ff:ff:ff:ff:ff:ff`,
    ]);
  });

  it('starts at once where the address is', () => {
    start();
    expect(start()).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.events).toEqual([`debug rgmanager: [ip] ${ADDRESS} already configured`]);
  });

  it('does not start an address that somebody answers to', () => {
    machine.neighbours.add(ADDRESS);
    expect(start()).toMatchObject({ status: 1, seconds: 0 });
    expect(machine.logged('err')).toEqual([`err [ip] IPv4 address collision ${ADDRESS}`]);
    expect(machine.interfaces[1]!.addresses).toEqual(['10.156.76.74/22']);
  });

  it.each<[string, Attributes, (() => void) | undefined, number, string | undefined]>([
    ['a prefix length that fits', { address: `${ADDRESS}/22` }, undefined, 0, 'eth0'],
    ['a prefix length that the interface does not have', { address: `${ADDRESS}/24` }, undefined, 1, undefined],
    ['another network', { address: '10.1.1.1' }, undefined, 1, undefined],
    ['the network of the second interface', { address: '192.168.7.9' }, undefined, 0, 'eth1'],
    ['a preferred interface in another network', { prefer_interface: 'eth1' }, undefined, 1, undefined],
    ['no address', { address: '' }, undefined, 1, undefined],
    ['IPv6', { address: 'fe80::1' }, undefined, 1, undefined],
    ['an interface without link', {}, () => setEth0({ hasCarrier: false }), 1, undefined],
    ['an interface without link, unmonitored', { monitor_link: '0' }, () => setEth0({ hasCarrier: false }), 0, 'eth0'],
    ['an interface that is down', { monitor_link: 'no' }, () => setEth0({ isUp: false }), 1, undefined],
    ['an address that the kernel refuses', {}, () => machine.failures.set(`${ADDRESS}/22`, 'EINVAL'), 1, undefined],
  ])('start with %s', (_name, attributes, arrange, status, name) => {
    arrange?.();
    expect(start(attributes).status).toBe(status);
    const address = attributes.address ?? ADDRESS;
    const owner = machine.interfaces.find(({ addresses }) =>
      addresses.some((own) => own.startsWith(address || 'none')),
    );
    expect(owner?.name).toBe(name);
  });

  it('prefers the interface it is told to where two are in the network', () => {
    machine.interfaces[2]!.addresses = ['10.156.76.99/22'];
    expect(start({ prefer_interface: 'eth1' }).status).toBe(0);
    expect(machine.interfaces[2]!.addresses).toContain(`${ADDRESS}/22`);
  });

  it.each([
    [undefined, 10],
    ['0', 0],
    ['3', 3],
    ['soon', 0],
  ])('stop removes the address and waits: sleeptime %s is %i s', (sleeptime, seconds) => {
    start();
    const attributes = { address: ADDRESS, ...(sleeptime !== undefined && { sleeptime }) };
    expect(machine.agent('ip', 'stop', attributes)).toMatchObject({ status: 0, seconds });
    expect(machine.done).toEqual([`delete ${ADDRESS}/22 from eth0`]);
    expect(machine.logged('info')).toEqual([`info [ip] Removing IPv4 address ${ADDRESS}/22 from eth0`]);
  });

  it('stops at once what is not there', () => {
    expect(machine.agent('ip', 'stop', { address: ADDRESS })).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.done).toEqual([]);
  });

  it('stops also while the network is busy with the packet that led here', () => {
    start();
    machine.isNetworkBusy = true;
    expect(machine.agent('ip', 'stop', { address: ADDRESS })).toMatchObject({ status: 0, seconds: 10 });
    expect(machine.interfaces[1]!.addresses).toEqual(['10.156.76.74/22']);
  });

  it('does not stop when the address stays', () => {
    start();
    machine.failures.set(`${ADDRESS}/22`, 'EINVAL');
    expect(machine.agent('ip', 'stop', { address: ADDRESS })).toMatchObject({ status: 1, seconds: 0 });
    expect(machine.logged('err')).toEqual([`err [ip] Failed to remove ${ADDRESS}`]);
  });

  it.each<[string, number, Attributes, () => void, number, readonly string[]]>([
    [
      'where it was not started',
      0,
      {},
      () => machine.interfaces[1]!.addresses.pop(),
      7,
      [`${ADDRESS} is not configured`],
    ],
    ['of a started address', 0, {}, () => {}, 0, []],
    ['of a started address, deeper', 10, {}, () => {}, 0, []],
    [
      'with the cable out',
      0,
      {},
      () => setEth0({ hasCarrier: false }),
      7,
      ['Link for eth0: Not detected', 'No link on eth0...'],
    ],
    ['with the cable out, unmonitored', 0, { monitor_link: '0' }, () => setEth0({ hasCarrier: false }), 0, []],
    ['with the interface down, unmonitored', 0, { monitor_link: '0' }, () => setEth0({ isUp: false }), 2, []],
    [
      'of an address that does not answer, deeper',
      10,
      {},
      () => machine.failures.set(`ping ${ADDRESS}`, 'ETIMEDOUT'),
      7,
      [`Failed to ping ${ADDRESS}`],
    ],
    ['of an address that does not answer', 0, {}, () => machine.failures.set(`ping ${ADDRESS}`, 'ETIMEDOUT'), 0, []],
  ])('status %s, depth %i', (_name, depth, attributes, arrange, status, warnings) => {
    start();
    arrange();
    expect(machine.agent('ip', 'status', { address: ADDRESS, ...attributes }, depth).status).toBe(status);
    expect(machine.logged('warning')).toEqual(warnings.map((text) => `warning [ip] ${text}`));
    expect(machine.agent('ip', 'monitor', { address: ADDRESS, ...attributes }, depth).status).toBe(status);
  });

  it.each([
    [ADDRESS, 0],
    [`${ADDRESS}/22`, 0],
    ['', 2],
    ['10.156.76', 2],
    ['10.156.76.256', 2],
    ['10.156.76.58/33', 2],
    ['my-vm1', 2],
  ])('validate-all of %j is %i', (address, status) => {
    expect(machine.agent('ip', 'validate-all', { address }).status).toBe(status);
  });

  it.each([
    ['10.156.79.255', '10.156.76.74/22', true],
    ['10.156.80.0', '10.156.76.74/22', false],
    ['255.255.255.255', '0.0.0.0/0', true],
    ['10.0.0.1', '10.0.0.1/32', true],
    ['10.0.0.2', '10.0.0.1/32', false],
    ['200.0.0.129', '200.0.0.1/25', false],
    ['200.0.0.9/24', '200.0.0.1/25', false],
  ])('%s in the network of %s: %s', (address, own, expected) => {
    expect(isInNetwork(parseIpv4(address)!, parseIpv4(own)!)).toBe(expected);
  });

  function setEth0(state: { isUp?: boolean; hasCarrier?: boolean }): void {
    Object.assign(machine.interfaces[1]!, state);
  }
});
