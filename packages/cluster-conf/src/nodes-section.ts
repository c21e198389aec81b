import type { ElementReader } from './element-reader.js';

/** A device of a fence method or of an unfence section, with what its agent is told about this node. */
export interface DeviceUse {
  /** Name of the `fencedevice`. */
  readonly name: string;
  /** All attributes but the name, in the order of the file. */
  readonly arguments: ReadonlyMap<string, string>;
}

export interface FenceMethod {
  readonly name: string;
  /** All of them have to succeed. */
  readonly devices: readonly DeviceUse[];
}

export interface AltName {
  readonly name: string;
  readonly port: number | undefined;
  readonly multicastAddress: string | undefined;
  readonly ttl: number | undefined;
}

/** `<clusternode>`. Source: cluster.conf(5), cman(5), fenced(8). */
export interface ClusterNode {
  readonly name: string;
  readonly nodeId: number;
  /** 0..255. */
  readonly votes: number;
  /** `weight`: share of the DLM's resources; undefined when it is the default of 1. */
  readonly weight: number | undefined;
  /** Its name on the second ring. */
  readonly altname: AltName | undefined;
  /** Tried one after the other until one succeeds. */
  readonly fenceMethods: readonly FenceMethod[];
  /** What `fence_node -U` runs at boot. */
  readonly unfenceDevices: readonly DeviceUse[];
}

/** `<fencedevice>`. */
export interface FenceDevice {
  readonly name: string;
  readonly agent: string;
  /** All attributes but the name, in the order of the file; `agent` is among them. */
  readonly arguments: ReadonlyMap<string, string>;
}

/** Node id by name. */
export type NodeIds = ReadonlyMap<string, number>;

/** Source: fence/libfence/agent.c, `MAX_METHODS` and `MAX_DEVICES`. */
const METHODS_MAX = 8;
const DEVICES_MAX = 8;

/** `<fencedevices>`; a name twice is an error, since the schema makes it an XML ID. */
export function readFenceDevices(at: ElementReader): readonly FenceDevice[] {
  const devices: FenceDevice[] = [];
  for (const each of at.children('fencedevice')) {
    const device = readFenceDevice(each);
    if (devices.some((other) => other.name === device.name)) each.error('name', 'a name that no other fencedevice has');
    devices.push(device);
  }
  at.finish();
  return devices;
}

function readFenceDevice(at: ElementReader): FenceDevice {
  const name = at.required('name', 'a name');
  if (name !== '' && !/^[A-Za-z_\u0080-\uffff][\w.\-\u0080-\uffff]*$/.test(name)) {
    at.error('name', 'an XML ID: letters, digits, "_", "-" and ".", the first no digit');
  }
  const agent = at.required('agent', 'the name of a fence agent');
  const given = at.restOfAttributes();
  at.finish();
  const inOrder = [...at.element.attributes].filter(([key]) => key === 'agent' || given.has(key));
  return { name, agent, arguments: new Map(inOrder) };
}

/**
 * `<clusternodes>`. Two nodes with one id are an error: cman would take the second for a new name of the first.
 *
 * attribute  type      default
 * name       text      required
 * nodeid     positive  required
 * votes      0..255    1
 * weight     integer   none
 */
export function readClusterNodes(at: ElementReader, devices: readonly FenceDevice[]): readonly ClusterNode[] {
  const nodes: ClusterNode[] = [];
  for (const each of at.children('clusternode')) {
    const node = readClusterNode(each, devices);
    const sameId = nodes.find((other) => other.nodeId !== 0 && other.nodeId === node.nodeId);
    if (sameId !== undefined) each.error('nodeid', `an id of its own; ${sameId.name} has this one`);
    if (nodes.some((other) => other.name === node.name)) each.error('name', 'a name that no other clusternode has');
    nodes.push(node);
  }
  at.finish();
  return nodes;
}

function readClusterNode(at: ElementReader, devices: readonly FenceDevice[]): ClusterNode {
  const fence = at.section('fence');
  const unfence = at.section('unfence');
  const node: ClusterNode = {
    name: at.required('name', 'the host name or address of the node'),
    nodeId: at.required('nodeid', 'a positive integer') === '' ? 0 : at.integer('nodeid', 0, 1),
    votes: at.integer('votes', 1, 0, 255),
    weight: at.optionalInteger('weight', 0),
    altname: readAltName(at.child('altname')),
    fenceMethods: readMethods(fence, devices),
    unfenceDevices: unfence.children('device').map((device) => readUnfenceDevice(device, devices)),
  };
  fence.finish();
  unfence.finish();
  at.finish();
  return node;
}

function readAltName(at: ElementReader | undefined): AltName | undefined {
  if (at === undefined) return undefined;
  const altname = {
    name: at.required('name', 'the host name or address of the node on the second ring'),
    port: at.optionalInteger('port', 1, 65_535),
    multicastAddress: at.optionalGroup('mcast'),
    ttl: at.optionalInteger('ttl', 0, 255),
  };
  at.finish();
  return altname;
}

function readMethods(fence: ElementReader, devices: readonly FenceDevice[]): readonly FenceMethod[] {
  const methods: FenceMethod[] = [];
  for (const each of fence.children('method')) {
    const method = readMethod(each, devices);
    if (methods.some((other) => other.name === method.name)) {
      each.warn('name', 'a name of its own; the first method of that name is tried twice');
    }
    methods.push(method);
  }
  warnBeyond(fence, methods.length, METHODS_MAX, 'methods');
  return methods;
}

function readMethod(at: ElementReader, devices: readonly FenceDevice[]): FenceMethod {
  const name = at.required('name', 'a name that tells this method from the others');
  const uses = at.children('device').map((device) => readDevice(device, devices));
  warnBeyond(at, uses.length, DEVICES_MAX, 'devices');
  at.finish();
  return { name, devices: uses };
}

function warnBeyond(at: ElementReader, count: number, most: number, what: string): void {
  if (count > most) at.warnHere(`${count} ${what}`, `at most ${most}; the rest is never used`);
}

function readDevice(at: ElementReader, devices: readonly FenceDevice[]): DeviceUse {
  const name = at.required('name', 'the name of a fencedevice');
  if (name !== '' && !devices.some((device) => device.name === name)) {
    at.error('name', `the name of a fencedevice${devices.length === 0 ? '; there is none' : ''}`);
  }
  const use = { name, arguments: at.restOfAttributes() };
  at.finish();
  return use;
}

function readUnfenceDevice(at: ElementReader, devices: readonly FenceDevice[]): DeviceUse {
  const use = readDevice(at, devices);
  if (use.arguments.get('action') !== 'on')
    at.warn('action', '"on"; without it the agent does what it does by default');
  return use;
}
