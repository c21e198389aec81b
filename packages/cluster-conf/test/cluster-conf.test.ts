import { readFileSync } from 'node:fs';
import { ConfigError } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consensusOf, parseClusterConf, validateClusterConf } from '../src/index.js';

const myCluster = readFileSync(new URL('./data/my-cluster.conf', import.meta.url), 'utf8');

const NODE = '<clusternode name="a" nodeid="1"/>';

/** A cluster.conf of three nodes around whatever the test is about. */
function confWith({ attributes = '', nodes = '', body = '', rm = '' } = {}): string {
  return [
    `<cluster name="test" config_version="1"${attributes}>`,
    `<clusternodes>${NODE}`,
    nodes || '<clusternode name="b" nodeid="2"/><clusternode name="c" nodeid="3"/>',
    '</clusternodes>',
    body,
    rm && `<rm>${rm}</rm>`,
    '</cluster>',
  ].join('\n');
}

/** With the line only; that the column is right too is a test of its own. */
function errorsOf(text: string): readonly string[] {
  return validateClusterConf(text).errors.map(({ message }) =>
    message.replace(/^cluster\.conf:(\d+):\d+: /, 'line $1: '),
  );
}

function warningsOf(text: string): readonly string[] {
  expect(errorsOf(text)).toEqual([]);
  return validateClusterConf(text).warnings.map(({ place, path, value }) => `line ${place.line}: ${path} "${value}"`);
}

describe('the cluster of the walk-through', () => {
  const { conf, warnings } = parseClusterConf(myCluster);

  it('is read without a warning', () => {
    expect(warnings).toEqual([]);
    expect([conf.name, conf.configVersion]).toEqual(['my-cluster', 34]);
  });

  it('has its votes, quorum disk and hashed id', () => {
    expect(conf.cman).toMatchObject({
      expectedVotes: 9,
      isClusterIdHashed: true,
      isTwoNode: false,
      clusterId: undefined,
    });
    expect(conf.quorumd).toMatchObject({
      label: 'myqdisk',
      minScore: 1,
      intervalSec: 1,
      tko: undefined,
      votes: undefined,
    });
    expect(conf.quorumd?.heuristics).toEqual([
      { program: 'ping -c3 -t2 10.156.76.1', score: 2, intervalSec: undefined, tko: 10 },
    ]);
  });

  it('has the timers of totem and fenced', () => {
    expect(conf.totem).toMatchObject({ tokenMs: 10_000, consensusMs: 12_000, joinMs: 60, failRecvConst: 2500 });
    expect(conf.fenceDaemon).toMatchObject({ postJoinDelaySec: 6, postFailDelaySec: 0, isCleanStart: false });
  });

  it('fences and unfences each node through its disk', () => {
    expect(conf.nodes.map(({ name, nodeId, votes }) => `${name} ${nodeId} ${votes}`)).toEqual(
      [1, 2, 3, 4, 5].map((id) => `my-vm${id} ${id} 1`),
    );
    const [node] = conf.nodes;
    expect(node!.fenceMethods.map(({ name }) => name)).toEqual(['scsi']);
    expect([...node!.fenceMethods[0]!.devices[0]!.arguments]).toEqual([['devices', '/dev/sdb']]);
    expect([...node!.unfenceDevices[0]!.arguments]).toEqual([
      ['devices', '/dev/sdb'],
      ['action', 'on'],
    ]);
    expect(conf.fenceDevices).toEqual([
      { name: 'scsi_fence', agent: 'fence_scsi', arguments: new Map([['agent', 'fence_scsi']]) },
    ]);
  });

  it('has one service on an ordered and restricted domain, its tree as written', () => {
    expect(conf.rm?.failoverDomains).toEqual([
      {
        name: 'my_failover_domain',
        isOrdered: true,
        isRestricted: true,
        isNofailback: false,
        nodes: [1, 2, 3, 4, 5].map((id) => ({ name: `my-vm${id}`, nodeId: id, priority: id })),
      },
    ]);
    expect(conf.rm?.resources.map(({ name }) => name)).toEqual(['ip', 'clusterfs', 'apache']);
    const [service] = conf.rm!.services;
    expect(service!.attributes.get('recovery')).toBe('relocate');
    expect(service!.children.map(({ name, line }) => [name, line])).toEqual([
      ['clusterfs', 80],
      ['ip', 81],
      ['apache', 82],
    ]);
  });
});

describe('defaults', () => {
  const { conf } = parseClusterConf(confWith());

  it('are those of cman', () => {
    expect(conf.cman).toEqual({
      isTwoNode: false,
      expectedVotes: undefined,
      isUpgrading: false,
      isDisallowedEnabled: false,
      quorumDevPollMs: undefined,
      shutdownTimeoutMs: 5000,
      ccsdPollMs: 1000,
      debugMask: undefined,
      port: 5405,
      clusterId: undefined,
      isClusterIdHashed: false,
      isBroadcast: false,
      transport: 'udp',
      keyfile: undefined,
      isOpenaisDisabled: false,
      multicast: { address: undefined, ttl: 1, port: 5405 },
      altmulticast: { address: undefined, ttl: 1, port: 5405 },
    });
    expect(conf.totem).toEqual({
      tokenMs: 10_000,
      consensusMs: 12_000,
      joinMs: 60,
      sendJoinMs: 0,
      mergeMs: 200,
      downcheckMs: 1000,
      heartbeatFailuresAllowed: 0,
      maxNetworkDelayMs: 50,
      failRecvConst: 2500,
      seqnoUnchangedConst: 30,
      netmtuBytes: 1500,
      windowSize: 50,
      maxMessages: 17,
      tokenRetransmitsBeforeLossConst: 4,
      missCountConst: 5,
      rrpMode: 'none',
      rrpProblemCountThreshold: 3,
      isSecauth: true,
      keyfile: undefined,
      interfaces: [],
    });
  });

  it('are those of the daemons', () => {
    expect(conf.fenceDaemon).toEqual({
      postJoinDelaySec: 6,
      postFailDelaySec: 0,
      isCleanStart: false,
      overridePath: '/var/run/cluster/fenced_override',
      overrideTimeSec: 3,
      isUndefinedSkipped: false,
      fenceCheckDelaySec: 5,
    });
    expect(conf.dlm).toEqual({
      isLogDebug: false,
      timewarnCentiseconds: undefined,
      protocol: undefined,
      isFencingEnabled: true,
      isQuorumEnabled: false,
      isDeadlockEnabled: false,
      isPlockEnabled: true,
      isPlockDebug: false,
      plockRateLimit: 0,
      isPlockOwnership: true,
      dropResourcesTimeMs: 10_000,
      dropResourcesCount: 10,
      dropResourcesAgeMs: 10_000,
      lockspaces: [],
    });
    expect(conf.gfsControld.isWithdrawEnabled).toBe(true);
    expect(conf.group.groupdCompat).toBe(0);
    expect(conf.logging).toMatchObject({
      isToSyslog: true,
      isToLogfile: true,
      syslogFacility: 'local4',
      isDebug: false,
    });
    expect([conf.quorumd, conf.rm, conf.fenceXvmd]).toEqual([undefined, undefined, undefined]);
  });

  it('are those of rgmanager and qdiskd where their sections are', () => {
    const body = '<quorumd label="q"><heuristic program="true" interval="0" tko="-1" score="0"/></quorumd>';
    const { conf } = parseClusterConf(confWith({ body, rm: '<resources/>' }));
    expect(conf.rm).toMatchObject({
      statusPollIntervalSec: 10,
      transitionThrottlingSec: 5,
      isCentralProcessing: false,
    });
    expect(conf.quorumd).toMatchObject({ upgradeWait: 2, scheduler: 'rr', isRebooting: true, isKillAllowed: true });
    expect(conf.quorumd?.heuristics).toEqual([{ program: 'true', score: 1, intervalSec: 2, tko: 1 }]);
  });

  it.each([
    // token  nodes  consensus
    [10_000, 5, 12_000],
    [10_000, 3, 12_000],
    [10_000, 2, 2000],
    [5000, 2, 1000],
    [500, 2, 200],
    [30_000, 2, 2000],
    [10_000, 1, 2000],
    [10_000, 0, 12_000],
  ])('a token of %i ms and %i nodes give a consensus of %i ms', (tokenMs, nodes, consensusMs) => {
    expect(consensusOf(tokenMs, nodes)).toBe(consensusMs);
  });

  it('a second ring makes rrp passive', () => {
    const nodes = '<clusternode name="b" nodeid="2"><altname name="b2" port="5409"/></clusternode>';
    const { conf } = parseClusterConf(confWith({ nodes }));
    expect(conf.totem.rrpMode).toBe('passive');
    expect(conf.nodes[1]?.altname).toEqual({ name: 'b2', port: 5409, multicastAddress: undefined, ttl: undefined });
  });

  it('a logging daemon has what the section says for all', () => {
    const body =
      '<logging debug="on" logfile="/l"><logging_daemon name="corosync" subsys="CONFDB" to_syslog="no"/></logging>';
    const { conf } = parseClusterConf(confWith({ body }));
    expect(conf.logging.daemons).toEqual([
      {
        name: 'corosync',
        subsys: 'CONFDB',
        isToSyslog: false,
        isToLogfile: true,
        syslogFacility: 'local4',
        syslogPriority: 'info',
        logfilePriority: 'info',
        logfile: '/l',
        isDebug: true,
      },
    ]);
  });

  it('multicast gives the port unless cman has one itself', () => {
    const multicast = '<multicast addr="239.192.0.1" port="6000" ttl="3"/>';
    const { conf } = parseClusterConf(confWith({ body: `<cman>${multicast}</cman>` }));
    expect(conf.cman).toMatchObject({ port: 6000, multicast: { address: '239.192.0.1', ttl: 3 } });
    const other = parseClusterConf(confWith({ body: `<cman port="6001" broadcast="yes">${multicast}</cman>` })).conf;
    expect(other.cman).toMatchObject({ port: 6001, transport: 'udpb', altmulticast: { port: 5407 } });
  });
});

describe('what is refused', () => {
  it.each([
    ['', 'line 1: /: found nothing, expected well-formed XML (document must contain a root element)'],
    ['<cluster>\n<rm>\n</cluster>', 'line 3: /cluster/rm: found "</cluster>", expected </rm> first'],
    ['<cluster>\n<rm>\n</rm>', 'line 3: /cluster: found "</rm>", expected </cluster> first'],
    [
      '<cluster name=x/>',
      'line 1: /cluster: found "<cluster name=x/>", expected well-formed XML (unquoted attribute value)',
    ],
    [
      '<cluster a="1" a="2"/>',
      'line 1: /cluster: found "<cluster a="1" a="2"/>", expected well-formed XML (duplicate attribute: a)',
    ],
    [
      '<cluster>&x;</cluster>',
      'line 1: /cluster: found "<cluster>&x;</cluster>", expected well-formed XML (undefined entity)',
    ],
    [
      `<cluster>${'<a>'.repeat(100_000)}`,
      `line 1: /cluster${'/a'.repeat(255)}: found "<cluster>${'<a>'.repeat(17)}", expected well-formed XML (more than 256 elements deep)`,
    ],
    ['<conf/>', 'line 1: /conf: found "<conf>", expected <cluster>'],
  ])('%j', (text, message) => {
    expect(errorsOf(text)).toEqual([message]);
  });

  it.each([
    ['<cman foo="1"/>', '/cluster/cman/@foo: found "1", expected one of the attributes broadcast, transport, '],
    ['<cman two_node="yes"/>', '/cluster/cman/@two_node: found "yes", expected 1 or 0'],
    ['<cman expected_votes="0"/>', '/cluster/cman/@expected_votes: found "0", expected an integer of at least 1'],
    ['<cman cluster_id="65536"/>', '/cluster/cman/@cluster_id: found "65536", expected an integer from 0 to 65535'],
    ['<cman hash_cluster_id="1"/>', '/cluster/cman/@hash_cluster_id: found "1", expected yes or on or no or off'],
    ['<cman transport="tcp"/>', '/cluster/cman/@transport: found "tcp", expected one of udp, udpb, udpu, rdma'],
    [
      '<cman broadcast="yes" transport="udp"/>',
      '/cluster/cman/@transport: found "udp", expected udpb, or none, with broadcast="yes"',
    ],
    [
      '<cman two_node="1"/>',
      '/cluster/cman/@two_node: found "1", expected two nodes with one vote each, not 3 with 3 in all',
    ],
    ['<cman/><cman/>', '/cluster/cman[2]: found "<cman>", expected at most one cman'],
    [
      '<totem token="9999999999"/>',
      '/cluster/totem/@token: found "9999999999", expected an integer from 1 to 2147483647',
    ],
    ['<totem join=""/>', '/cluster/totem/@join: found nothing, expected an integer of at least 1'],
    [
      '<cman><multicast addr="10.0.0.1"/></cman>',
      '/cluster/cman/multicast/@addr: found "10.0.0.1", expected an IPv4 multicast address, 224.0.0.0 to 239.255.255.255',
    ],
    [
      '<cman><altmulticast ttl="256"/></cman>',
      '/cluster/cman/altmulticast/@ttl: found "256", expected an integer from 0',
    ],
    ['<cman><multicast/><multicast/></cman>', '/cluster/cman/multicast[2]: found "<multicast>", expected at most one'],
    [
      '<totem><interface bindnetaddr="eth0"/></totem>',
      '/cluster/totem/interface/@bindnetaddr: found "eth0", expected an IPv4 address',
    ],
    ['<totem rrp_mode="both"/>', '/cluster/totem/@rrp_mode: found "both", expected one of none, passive, active'],
    ['<totem secauth="yes"/>', '/cluster/totem/@secauth: found "yes", expected on or off'],
    ['<totem token="10s"/>', '/cluster/totem/@token: found "10s", expected an integer of at least 1'],
    ['<totem transport="udpu"/>', '/cluster/totem/@transport: found "udpu", expected one of the attributes token, '],
    [
      '<totem><interface ringnumber="2"/></totem>',
      '/cluster/totem/interface/@ringnumber: found "2", expected an integer from 0',
    ],
    ['<quorumd/>', '/cluster/quorumd/@label: found nothing, expected a label or a device'],
    ['<quorumd label="q" tko="0"/>', '/cluster/quorumd/@tko: found "0", expected an integer of at least 1'],
    [
      '<quorumd label="q"><heuristic/></quorumd>',
      '/cluster/quorumd/heuristic/@program: found nothing, expected a command',
    ],
    [
      '<quorumd label="q"><heuristic program="x" tko="often"/></quorumd>',
      '/cluster/quorumd/heuristic/@tko: found "often", expected an integer from -2147483648 to 2147483647',
    ],
    [
      '<quorumd label="q" scheduler="cfs"/>',
      '/cluster/quorumd/@scheduler: found "cfs", expected one of rr, fifo, other',
    ],
    [
      '<quorumd label="q" priority="100"/>',
      '/cluster/quorumd/@priority: found "100", expected an integer from -20 to 99',
    ],
    [
      '<quorumd label="q"><disk/></quorumd>',
      '/cluster/quorumd/disk: found "<disk>", expected one of the elements heuri',
    ],
    ['<fence_daemon post_join_delay="-2"/>', '/cluster/fence_daemon/@post_join_delay: found "-2", expected an integer'],
    ['<fence_xvmd port="65536"/>', '/cluster/fence_xvmd/@port: found "65536", expected an integer from 0 to 65535'],
    ['<gfs_controld enable_plock="on"/>', '/cluster/gfs_controld/@enable_plock: found "on", expected 1 or 0'],
    ['<group groupd_compat="x"/>', '/cluster/group/@groupd_compat: found "x", expected an integer of at least 0'],
    ['<uidgid user="me"/>', '/cluster/uidgid/@user: found "me", expected one of the attributes uid, gid'],
    ['<clvmd lock="1"/>', '/cluster/clvmd/@lock: found "1", expected one of the attributes interface'],
    [
      '<dlm><lockspace nodir="1"/></dlm>',
      '/cluster/dlm/lockspace/@name: found nothing, expected the name of a lockspace',
    ],
    [
      '<dlm><lockspace name="l"><master name="a" weight="x"/></lockspace></dlm>',
      '/cluster/dlm/lockspace/master/@weight: found "x", expected an integer of at least 0',
    ],
    ['<logging to_syslog="1"/>', '/cluster/logging/@to_syslog: found "1", expected yes or no'],
    ['<logging><logging_daemon/></logging>', '/cluster/logging/logging_daemon/@name: found nothing, expected the name'],
    ['<fence_daemon clean_start="2"/>', '/cluster/fence_daemon/@clean_start: found "2", expected 1 or 0'],
    ['<dlm protocol="udp"/>', '/cluster/dlm/@protocol: found "udp", expected one of tcp, sctp, detect'],
    ['<logging syslog_priority="loud"/>', '/cluster/logging/@syslog_priority: found "loud", expected one of emerg, '],
    [
      '<cluster_x/>',
      '/cluster/cluster_x: found "<cluster_x>", expected one of the elements fencedevices, clusternodes, ',
    ],
    ['<cman>hello</cman>', '/cluster/cman: found "hello", expected no text of its own'],
    ['<fencedevices><fencedevice name="x"/></fencedevices>', '/cluster/fencedevices/fencedevice/@agent: found nothing'],
    [
      '<fencedevices><fencedevice name="1x" agent="y"/></fencedevices>',
      '/cluster/fencedevices/fencedevice/@name: found "1x", expected an XML ID',
    ],
    [
      '<fencedevices><fencedevice name="x" agent="y"/><fencedevice name="x" agent="z"/></fencedevices>',
      '/cluster/fencedevices/fencedevice[2]/@name: found "x", expected a name that no other fencedevice has',
    ],
    ['<rm><dependencies/></rm>', '/cluster/rm/dependencies: found "<dependencies>", expected one of the elements '],
    [
      '<rm><resources x="1"><ip address="a"/></resources></rm>',
      '/cluster/rm/resources/@x: found "1", expected no attribute here',
    ],
    ['<rm><events><event file="f"/></events></rm>', '/cluster/rm/events/event/@name: found nothing, expected a name'],
    [
      '<rm><failoverdomains><failoverdomain><failoverdomainnode name="a"/></failoverdomain></failoverdomains></rm>',
      '/cluster/rm/failoverdomains/failoverdomain/@name: found nothing, expected a name',
    ],
    [
      '<rm><failoverdomains><failoverdomain name="d"><failoverdomainnode/></failoverdomain></failoverdomains></rm>',
      '/cluster/rm/failoverdomains/failoverdomain/failoverdomainnode/@name: found nothing, expected the name of a',
    ],
    [
      '<rm><failoverdomain name="d"/></rm>',
      '/cluster/rm/failoverdomain: found "<failoverdomain>", expected one of the',
    ],
    ['<rm log_level="8"/>', '/cluster/rm/@log_level: found "8", expected an integer from 0 to 7'],
  ])('%s', (body, message) => {
    const errors = errorsOf(confWith({ body }));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`line 5: ${message}`);
  });

  it.each([
    ['<clusternode name="b"/>', 'clusternode[2]/@nodeid: found nothing, expected a positive integer'],
    ['<clusternode name="b" nodeid="0"/>', 'clusternode[2]/@nodeid: found "0", expected an integer of at least 1'],
    [
      '<clusternode name="b" nodeid="1"/>',
      'clusternode[2]/@nodeid: found "1", expected an id of its own; a has this one',
    ],
    [
      '<clusternode name="a" nodeid="2"/>',
      'clusternode[2]/@name: found "a", expected a name that no other clusternode has',
    ],
    [
      '<clusternode name="b" nodeid="2" votes="256"/>',
      'clusternode[2]/@votes: found "256", expected an integer from 0 to 255',
    ],
    [
      '<clusternode name="b" nodeid="2"><fence><method name="m"><device name="d"/></method></fence></clusternode>',
      'clusternode[2]/fence/method/device/@name: found "d", expected the name of a fencedevice; there is none',
    ],
  ])('%s', (nodes, message) => {
    expect(errorsOf(confWith({ nodes }))).toEqual([`line 3: /cluster/clusternodes/${message}`]);
  });

  it.each([
    [/name="test"/, '', 'line 1: /cluster/@name: found nothing, expected a name of at most 15 characters'],
    [/config_version="1"/, '', 'line 1: /cluster/@config_version: found nothing, expected a positive integer'],
    [/version="1"/, 'version="0"', 'line 1: /cluster/@config_version: found "0", expected an integer of at least 1'],
    [/<clusternodes>.*<.clusternodes>/s, '', 'line 1: /cluster/clusternodes: found nothing, expected <clusternodes>'],
    [/<.clusternodes>/, '', 'line 7: /cluster/clusternodes: found "</cluster>", expected </clusternodes> first'],
  ])('%s is replaced by "%s"', (right, wrong, message) => {
    expect(errorsOf(confWith().replace(right, wrong))).toEqual([message]);
  });

  it('a name of 16 characters', () => {
    const text = confWith().replace('"test"', '"sixteen-letters-"');
    expect(errorsOf(text)).toEqual([
      'line 1: /cluster/@name: found "sixteen-letters-", expected at most 15 characters, not 16',
    ]);
  });

  it('a node for which the quorum disk has no slot', () => {
    const nodes = '<clusternode name="b" nodeid="17"/>';
    expect(errorsOf(confWith({ nodes, body: '<quorumd label="q"/>' }))).toEqual([
      'line 3: /cluster/clusternodes/clusternode[2]/@nodeid: found "17", expected 1 to 16: the quorum disk has no other slots',
    ]);
    expect(errorsOf(confWith({ nodes }))).toEqual([]);
  });

  it('a quorum disk whose votes cannot be derived', () => {
    const nodes = '<clusternode name="b" nodeid="2" votes="2"/>';
    expect(errorsOf(confWith({ nodes, body: '<quorumd label="q"/>' }))[0]).toContain(
      '/cluster/quorumd/@votes: found nothing',
    );
    expect(errorsOf(confWith({ nodes, body: '<quorumd label="q" votes="1"/>' }))).toEqual([]);
  });

  it('all of it at once, in the order of the text, and the first as an exception', () => {
    const text = confWith({ attributes: ' colour="red"', body: '<totem token="x"/>\n<cman port="0"/>' });
    expect(validateClusterConf(text).errors.map(({ place, path }) => `${place?.line} ${path}`)).toEqual([
      '1 /cluster/@colour',
      '5 /cluster/totem/@token',
      '6 /cluster/cman/@port',
    ]);
    expect(() => parseClusterConf(text)).toThrow(ConfigError);
    expect(() => parseClusterConf(text)).toThrow('cluster.conf:1:41: /cluster/@colour: found "red"');
  });

  it.each([
    // what the text says                                          where it is wrong
    ['<totem\n  token="10000"\n  join="no"/>', [7, 3, '/cluster/totem/@join']],
    ['<totem token="10000"\t join = \'no\'/>', [5, 23, '/cluster/totem/@join']],
    ['<!-- 😀 --> <totem join="no"/>', [5, 19, '/cluster/totem/@join']],
    ['<totem keyfile="join=\'1\' " join="no"/>', [5, 28, '/cluster/totem/@join']],
    ['<dlm>\r\n  <lockspace nodir="1"/></dlm>', [6, 3, '/cluster/dlm/lockspace/@name']],
    ['  <colour/>', [5, 3, '/cluster/colour']],
    ['<cman>\n <multicast addr="10.0.0.1"/></cman>', [6, 13, '/cluster/cman/multicast/@addr']],
    ['<cman/>\n\n  <cman/>', [7, 3, '/cluster/cman[2]']],
    ['<cman>\n <a></b>', [6, 8, '/cluster/cman/a']],
  ] as const)('%j: the file, line, column and path', (body, [line, column, path]) => {
    const { errors } = validateClusterConf(confWith({ body }), '/etc/cluster/cluster.conf');
    expect(errors.map((error) => [error.place, error.path])).toEqual([
      [{ file: '/etc/cluster/cluster.conf', line, column }, path],
    ]);
    expect(errors[0]!.message).toContain(`/etc/cluster/cluster.conf:${line}:${column}: ${path}: found `);
  });
});

describe('what is only warned about, because the original starts with it', () => {
  const rmLine = 6;
  const domain = (inner: string, attributes = ''): string =>
    `<failoverdomains><failoverdomain name="d"${attributes}>${inner}</failoverdomain></failoverdomains>`;

  it.each([
    [domain('<failoverdomainnode name="z"/>'), 'failoverdomains/failoverdomain/failoverdomainnode/@name "z"'],
    [domain('', ' ordered="yes"'), 'failoverdomains/failoverdomain/@ordered "yes"'],
    [
      domain('<failoverdomainnode name="a" priority="0"/>', ' ordered="1"'),
      'failoverdomains/failoverdomain/failoverdomainnode/@priority "0"',
    ],
    ['<service name="s" domain="nowhere"/>', 'service/@domain "nowhere"'],
    ['<service name="s"><ip ref="10.0.0.1"/></service>', 'service/ip/@ref "10.0.0.1"'],
    ['<service name="s"/><service name="s"/>', 'service[2]/@name "s"'],
    ['<service name="s" depend="service:none"/>', 'service/@depend "service:none"'],
    ['<service name="s" depend="s"/>', 'service/@depend "s"'],
    [
      '<service name="s" depend="vm:v"/><service name="t" depend="service:s"/><vm name="v" depend="service:s"/>',
      'service[1]/@depend "vm:v"',
    ],
  ])('%s', (rm, warning) => {
    expect(warningsOf(confWith({ rm }))).toEqual([`line ${rmLine}: /cluster/rm/${warning}`]);
  });

  it('a domain named twice ends the list of domains, a node named twice that of its domain', () => {
    const node = '<failoverdomainnode name="a"/><failoverdomainnode name="b"/>';
    const rm = [
      '<failoverdomains>',
      `<failoverdomain name="one">${node}<failoverdomainnode name="A"/><failoverdomainnode name="c"/></failoverdomain>`,
      `<failoverdomain name="ONE"/>`,
      `<failoverdomain name="two"/>`,
      '</failoverdomains>',
    ].join('\n');
    const { conf, warnings } = parseClusterConf(confWith({ rm }));
    expect(conf.rm?.failoverDomains.map(({ name, nodes }) => [name, nodes.map((each) => each.name)])).toEqual([
      ['one', ['a', 'b']],
    ]);
    expect(warnings.map(({ value }) => value)).toEqual(['A', 'A', 'ONE']);
  });

  it.each([
    // written  ordered  read
    ['7', true, 7],
    ['7', false, 0],
    ['100', true, 100],
    ['101', true, 0],
    ['-1', true, 0],
    ['3rd', true, 3],
  ])('priority %s, ordered %s, is read as %i', (priority, isOrdered, read) => {
    const inner = `<failoverdomainnode name="a" priority="${priority}"/>`;
    const { conf } = parseClusterConf(confWith({ rm: domain(inner, ` ordered="${isOrdered ? 1 : 0}"`) }));
    expect(conf.rm?.failoverDomains[0]?.nodes[0]?.priority).toBe(read);
  });

  it('a reference may name any attribute of a resource of its type, whatever the case of the type', () => {
    const rm = '<resources><fs name="f" mountpoint="/x"/></resources><service name="s"><FS ref="/x"/></service>';
    expect(warningsOf(confWith({ rm }))).toEqual([]);
  });

  it('two_node with other expected votes than 1', () => {
    const nodes = '<clusternode name="b" nodeid="2"/>';
    const body = '<cman two_node="1" expected_votes="3"/>';
    expect(warningsOf(confWith({ nodes, body }))).toEqual(['line 5: /cluster/cman/@expected_votes "3"']);
  });

  const nine = (what: (n: number) => string): string => Array.from({ length: 9 }, (_, n) => what(n)).join('');
  it.each([
    [
      '<quorumd label="q" min_score="4"><heuristic program="x" score="3"/></quorumd>',
      'line 5: /cluster/quorumd/@min_score "4"',
    ],
    [
      `<quorumd label="q">${nine(() => '<heuristic program="x"/>')}<heuristic program="x"/><heuristic program="x"/></quorumd>`,
      'line 5: /cluster/quorumd "11 heuristics"',
    ],
    [
      '<dlm><lockspace name="l"><master name="z"/></lockspace></dlm>',
      'line 5: /cluster/dlm/lockspace/master/@name "z"',
    ],
  ])('%s', (body, warning) => {
    expect(warningsOf(confWith({ body }))).toEqual([warning]);
  });

  it('more fence methods and devices than fenced tries, and one name for two methods', () => {
    const body = '<fencedevices><fencedevice name="x" agent="y"/></fencedevices>';
    const node = (fence: string): string => `<clusternode name="b" nodeid="2"><fence>${fence}</fence></clusternode>`;
    const at = 'line 3: /cluster/clusternodes/clusternode[2]/fence';
    expect(warningsOf(confWith({ nodes: node(nine((n) => `<method name="m${n}"/>`)), body }))).toEqual([
      `${at} "9 methods"`,
    ]);
    const devices = nine((n) => `<device name="x" port="${n}"/>`);
    expect(warningsOf(confWith({ nodes: node(`<method name="m">${devices}</method>`), body }))).toEqual([
      `${at}/method "9 devices"`,
    ]);
    expect(warningsOf(confWith({ nodes: node('<method name="m"/><method name="m"/>'), body }))).toEqual([
      `${at}/method[2]/@name "m"`,
    ]);
  });

  it('an unfence device that does not say "on", and votes of 0', () => {
    const nodes = '<clusternode name="b" nodeid="2" votes="0"><unfence><device name="x"/></unfence></clusternode>';
    const body = '<fencedevices><fencedevice name="x" agent="y"/></fencedevices>';
    expect(warningsOf(confWith({ nodes, body }))).toEqual([
      'line 3: /cluster/clusternodes/clusternode[2]/@votes "0"',
      'line 3: /cluster/clusternodes/clusternode[2]/unfence/device/@action ""',
    ]);
  });
});

describe('what belongs to agents', () => {
  it('keeps any argument of a fence device, in the order of the file', () => {
    const nodes =
      '<clusternode name="b" nodeid="2"><fence><method name="1"><device name="x" port="2" option="off"/></method></fence></clusternode>';
    const body = '<fencedevices><fencedevice ipaddr="h" agent="fence_y" passwd="p" name="x"/></fencedevices>';
    const { conf } = parseClusterConf(confWith({ nodes, body }));
    expect([...conf.fenceDevices[0]!.arguments]).toEqual([
      ['ipaddr', 'h'],
      ['agent', 'fence_y'],
      ['passwd', 'p'],
    ]);
    expect([...conf.nodes[1]!.fenceMethods[0]!.devices[0]!.arguments]).toEqual([
      ['port', '2'],
      ['option', 'off'],
    ]);
  });

  it('knows what rgmanager of RHEL 6 does not: its policy', () => {
    const weights = '<node name="a" capacity="8"/><service name="web" need="3"/>';
    const policy = `<policy coordinator="1" fence_failed_stop="1" parallel="1" enforce_timeouts="1">${weights}</policy>`;
    expect(errorsOf(confWith({ rm: policy }))).toEqual([]);
    expect(errorsOf(confWith({ rm: '<policy coordinator="yes" fence="1"/>' }))).toHaveLength(2);
    expect(errorsOf(confWith({ rm: '<policy><node name="x" capacity="-1"/></policy>' }))).toHaveLength(2);
  });

  it('keeps any resource, and the text of an event script', () => {
    const rm =
      '<resource-defaults><ip monitor_link="no"/></resource-defaults><vm name="v" xyz="1"/><events><event name="e"> evt </event></events>';
    const { conf } = parseClusterConf(confWith({ rm }));
    expect(conf.rm?.resourceDefaults[0]?.attributes.get('monitor_link')).toBe('no');
    expect(conf.rm?.vms[0]?.attributes.get('xyz')).toBe('1');
    expect(conf.rm?.events[0]?.text).toBe('evt');
  });
});

it('any text at all is read or refused with a ConfigError', () => {
  const piece = fc.constantFrom(
    '<cluster',
    ' name="x"',
    '>',
    '</cluster>',
    '<rm/>',
    '<cman port="1"/>',
    '&',
    'é',
    '"',
    '\n',
    '<!--',
    '-->',
    '<![CDATA[',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (value) => {
      const { errors } = validateClusterConf(value);
      expect(errors.every((error) => error instanceof ConfigError && (error.place?.column ?? 0) > 0)).toBe(true);
      expect(errors.every(({ path, expected }) => path.startsWith('/') && expected !== '')).toBe(true);
    }),
  );
});
