/** `<device>` under a method or an unfence section: the fence device to use, and what it has to know of this node. */
export interface DeviceUse {
  /** Name of the fence device. */
  readonly name: string;
  /** All attributes but the name, in the order of the file. */
  readonly arguments: ReadonlyMap<string, string>;
}

/** `<method>`: all its devices have to succeed. */
export interface FenceMethod {
  readonly name: string;
  readonly devices: readonly DeviceUse[];
}

/** `<fencedevice>`. */
export interface FenceDevice {
  readonly name: string;
  readonly agent: string;
  /** All attributes but the name, in the order of the file; `agent` is among them. */
  readonly arguments: ReadonlyMap<string, string>;
}

/** `<clusternode>`, as far as fencing looks at it. */
export interface FenceNode {
  readonly nodeId: number;
  readonly name: string;
  /** Tried one after the other until one succeeds. */
  readonly fenceMethods: readonly FenceMethod[];
  /** What `fence_node -U` runs. */
  readonly unfenceDevices: readonly DeviceUse[];
}

/** What cluster.conf says about fencing. */
export interface FenceConf {
  /** In the order of the file. */
  readonly nodes: readonly FenceNode[];
  readonly devices: readonly FenceDevice[];
}
