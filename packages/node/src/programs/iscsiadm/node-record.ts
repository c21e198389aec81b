import type { LoginRequest } from '../../os/iscsi/login-request.js';

/** A record of the node database: a target at a portal, and how to log in to it; names and values in their order. */
export type NodeRecord = ReadonlyMap<string, string>;

/** A portal of a target, which names a record. */
export interface NodePortal {
  readonly target: string;
  readonly address: string;
  readonly port: number;
  /** Portal group tag; -1 when nobody has said it. */
  readonly tpgt: number;
}

/** Stands for an empty value where records are shown. */
const EMPTY = '<empty>';

const INTERFACE_FIELDS: readonly string[] = [
  ...['iscsi_ifacename=default', 'net_ifacename=', 'ipaddress=', 'prefix_len=0', 'hwaddress=', 'transport_name=tcp'],
  ...['initiatorname=', 'state=', 'vlan_id=0', 'vlan_priority=0', 'vlan_state=', 'iface_num=0', 'mtu=0', 'port=0'],
  ...['bootproto=', 'subnet_mask=', 'gateway=', 'dhcp_alt_client_id_state=', 'dhcp_alt_client_id=', 'dhcp_dns='],
  ...['dhcp_learn_iqn=', 'dhcp_req_vendor_id_state=', 'dhcp_vendor_id_state=', 'dhcp_vendor_id=', 'dhcp_slp_da='],
  ...['fragmentation=', 'gratuitous_arp=', 'incoming_forwarding=', 'tos_state=', 'tos=0', 'ttl=0', 'delayed_ack='],
  ...['tcp_nagle=', 'tcp_wsf_state=', 'tcp_wsf=0', 'tcp_timer_scale=0', 'tcp_timestamp=', 'redirect='],
  ...['def_task_mgmt_timeout=0', 'header_digest=', 'data_digest=', 'immediate_data=', 'initial_r2t='],
  ...['data_seq_inorder=', 'data_pdu_inorder=', 'erl=0', 'max_receive_data_len=0', 'first_burst_len=0'],
  ...['max_outstanding_r2t=0', 'max_burst_len=0', 'chap_auth=', 'bidi_chap=', 'strict_login_compliance='],
  ...['discovery_auth=', 'discovery_logout='],
];

const NODE_FIELDS: readonly string[] = [
  ...['discovery_address=', 'discovery_port=0', 'discovery_type=static'],
  ...['session.initial_cmdsn=0', 'session.initial_login_retry_max=4', 'session.xmit_thread_priority=-20'],
  ...['session.cmds_max=128', 'session.queue_depth=32', 'session.nr_sessions=1'],
  ...['session.auth.authmethod=None', 'session.auth.username=', 'session.auth.password='],
  ...['session.auth.username_in=', 'session.auth.password_in=', 'session.auth.chap_algs=MD5'],
  ...['session.timeo.replacement_timeout=120', 'session.err_timeo.abort_timeout=15'],
  ...['session.err_timeo.lu_reset_timeout=30', 'session.err_timeo.tgt_reset_timeout=30'],
  ...['session.err_timeo.host_reset_timeout=60', 'session.iscsi.FastAbort=Yes', 'session.iscsi.InitialR2T=No'],
  ...['session.iscsi.ImmediateData=Yes', 'session.iscsi.FirstBurstLength=262144'],
  ...['session.iscsi.MaxBurstLength=16776192', 'session.iscsi.DefaultTime2Retain=0'],
  ...['session.iscsi.DefaultTime2Wait=2', 'session.iscsi.MaxConnections=1', 'session.iscsi.MaxOutstandingR2T=1'],
  ...['session.iscsi.ERL=0', 'session.scan=auto', 'session.reopen_max=0'],
];

const CONNECTION_FIELDS: readonly string[] = [
  ...['address=', 'port=3260', 'startup=manual', 'tcp.window_size=524288', 'tcp.type_of_service=0'],
  ...['timeo.logout_timeout=15', 'timeo.login_timeout=30', 'timeo.auth_timeout=45'],
  ...['timeo.noop_out_interval=5', 'timeo.noop_out_timeout=5', 'iscsi.MaxXmitDataSegmentLength=0'],
  ...['iscsi.MaxRecvDataSegmentLength=262144', 'iscsi.HeaderDigest=None', 'iscsi.DataDigest=None'],
  ...['iscsi.IFMarker=No', 'iscsi.OFMarker=No'],
];

const DEFAULTS: readonly (readonly [string, string])[] = [
  ['node.name', ''],
  ['node.tpgt', '-1'],
  ['node.startup', 'manual'],
  ['node.leading_login', 'No'],
  ...fieldsOf('iface', INTERFACE_FIELDS),
  ...fieldsOf('node', NODE_FIELDS),
  ...fieldsOf('node.conn[0]', CONNECTION_FIELDS),
];

function fieldsOf(prefix: string, fields: readonly string[]): readonly (readonly [string, string])[] {
  return fields.map((field) => {
    const at = field.indexOf('=');
    return [`${prefix}.${field.slice(0, at)}`, field.slice(at + 1)];
  });
}

/** A record with the defaults of open-iscsi 2.1, over which go those of /etc/iscsi/iscsid.conf. */
export function newRecord(
  { target, address, port, tpgt }: NodePortal,
  defaults: ReadonlyMap<string, string>,
): NodeRecord {
  const record = new Map(DEFAULTS);
  for (const [name, value] of defaults) if (record.has(name)) record.set(name, value);
  record.set('node.name', target);
  record.set('node.tpgt', `${tpgt}`);
  record.set('node.conn[0].address', address);
  record.set('node.conn[0].port', `${port}`);
  return record;
}

/** Lines `name = value`; comments and whatever else is skipped. */
export function parseSettings(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^\s*([^#\s=]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (found !== null) settings.set(found[1]!, found[2] === EMPTY ? '' : found[2]!);
  }
  return settings;
}

/** The file of a record: what is empty is left out. */
export function recordFile(record: NodeRecord): string {
  const lines = [...record].filter(([, value]) => value !== '').map(([name, value]) => `${name} = ${value}\n`);
  return `# BEGIN RECORD 2.1.8\n${lines.join('')}# END RECORD\n`;
}

/** The record of a file; undefined for one that is none. */
export function parseRecord(text: string): NodeRecord | undefined {
  const settings = parseSettings(text);
  if (!settings.has('node.name') || !settings.has('node.conn[0].address')) return undefined;
  const record = new Map(DEFAULTS);
  for (const [name] of DEFAULTS) record.set(name, settings.get(name) ?? '');
  return record;
}

/** A record as `iscsiadm -m node -o show` prints it; passwords only when they are asked for. */
export function recordText(record: NodeRecord, showsPasswords: boolean): string {
  const lines = [...record].map(([name, value]) => {
    const isHidden = value !== '' && !showsPasswords && /\.password(_in)?$/.test(name);
    return `${name} = ${isHidden ? '********' : value || EMPTY}\n`;
  });
  return `# BEGIN RECORD 2.1.8\n${lines.join('')}# END RECORD\n`;
}

export function portalOf(record: NodeRecord): NodePortal {
  return {
    target: record.get('node.name')!,
    address: record.get('node.conn[0].address')!,
    port: Number(record.get('node.conn[0].port')),
    tpgt: Number(record.get('node.tpgt')),
  };
}

/** `10.0.0.9:3260,1`; a tag that nobody has said is shown as 32 bits without a sign, as the original does. */
export function portalText({ address, port, tpgt }: Omit<NodePortal, 'target'>): string {
  return `${address}:${port},${tpgt >>> 0}`;
}

/** A line of `iscsiadm -m node`: `10.0.0.9:3260,1 iqn.2016-02.example:shared`. */
export function recordLine(record: NodeRecord): string {
  const portal = portalOf(record);
  return `${portalText(portal)} ${portal.target}\n`;
}

/** What iscsid is asked for. `address` is that of the portal's host. */
export function loginRequestOf(record: NodeRecord, initiator: string, address: string): LoginRequest {
  const number = (name: string): number => Math.max(0, Math.floor(Number(record.get(name)) || 0));
  const secretOf = (suffix: string) => {
    const name = record.get(`node.session.auth.username${suffix}`) ?? '';
    return name === '' ? undefined : { name, secret: record.get(`node.session.auth.password${suffix}`) ?? '' };
  };
  const hasChap = record.get('node.session.auth.authmethod') === 'CHAP';
  const [user, mutual] = hasChap ? [secretOf(''), secretOf('_in')] : [];
  const { target, port, tpgt } = portalOf(record);
  // What a login can ask for: RFC 7143, 13.12 to 13.14.
  const length = (name: string): number => Math.min(Math.max(number(name), 512), 0xff_ffff);
  const isYes = (name: string): boolean => record.get(name) === 'Yes';
  const hasDigest = (name: string): boolean => record.get(name)?.startsWith('CRC32C') === true;
  return {
    initiator,
    target,
    address,
    port,
    tpgt,
    ...(user && { user }),
    ...(user && mutual && { mutual }),
    wishes: {
      initialR2T: isYes('node.session.iscsi.InitialR2T'),
      immediateData: isYes('node.session.iscsi.ImmediateData'),
      firstBurstLength: length('node.session.iscsi.FirstBurstLength'),
      maxBurstLength: length('node.session.iscsi.MaxBurstLength'),
      maxOutstandingR2T: Math.max(1, number('node.session.iscsi.MaxOutstandingR2T')),
      maxRecvDataSegmentLength: length('node.conn[0].iscsi.MaxRecvDataSegmentLength'),
      headerDigest: hasDigest('node.conn[0].iscsi.HeaderDigest'),
      dataDigest: hasDigest('node.conn[0].iscsi.DataDigest'),
    },
    replacementTimeoutSec: number('node.session.timeo.replacement_timeout'),
    loginTimeoutSec: Math.max(1, number('node.conn[0].timeo.login_timeout')),
    noopSec: Math.max(1, number('node.conn[0].timeo.noop_out_interval')),
    initialLoginRetryMax: number('node.session.initial_login_retry_max'),
  };
}
