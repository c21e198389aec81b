import { MILLISECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { parseCorosyncConf } from '../src/corosync/index.js';

const NODES = `nodelist {
  node {
    ring0_addr: 10.99.0.1
    nodeid: 1
    name: n1
  }
  node {
    ring0_addr: 10.99.0.2
    nodeid: 7
    quorum_votes: 3
  }
}
`;

const totem = (lines?: string): string =>
  `totem {\nversion: 2\ntransport: udpu\n${lines === undefined ? '' : `${lines}\n`}}\n`;

describe('corosync.conf', () => {
  it('gives the ring, its nodes and their votes', () => {
    const text = `# a comment\n${totem('cluster_name: lab\nconfig_version: 4\nnetmtu: 9000')}${NODES}
quorum {
  provider: corosync_votequorum
}
logging {
  to_syslog: yes
  logger_subsys {
    subsys: QUORUM
    debug: off
  }
}
`;
    expect(parseCorosyncConf(text)).toMatchObject({
      clusterName: 'lab',
      configVersion: 4,
      transport: 'udpu',
      port: 5405,
      netMtu: 9000,
      isUnlistedBlocked: true,
      nodes: [
        { id: 1, address: '10.99.0.1', name: 'n1', votes: 1 },
        { id: 7, address: '10.99.0.2', name: '', votes: 3 },
      ],
      quorum: { expectedVotes: 4, isTwoNode: false, isWaitForAll: false },
    });
  });

  it.each<[string, string, Record<string, number>]>([
    ['none', '', { token: 3000, tokenRetransmit: 714, hold: 561, consensus: 3600 }],
    ['token', 'token: 1000', { token: 1000, tokenRetransmit: 238, hold: 180, consensus: 1200 }],
    ['token_retransmit', 'token: 1000\ntoken_retransmit: 100', { tokenRetransmit: 100, hold: 70 }],
    ['others', 'token: 1000\nhold: 50\nmerge: 300\nconsensus: 5000', { hold: 50, merge: 300, consensus: 5000 }],
  ])('timers, with those set: %s', (_, lines, expected) => {
    const { timings } = parseCorosyncConf(totem(lines) + NODES);
    const nanos = Object.entries(expected).map(([name, ms]) => [name, ms * MILLISECOND]);
    expect(timings).toMatchObject(Object.fromEntries(nanos));
  });

  it('of transport udp without a group has the one of its name, as corosync has', () => {
    const text = 'totem {\nversion: 2\ntransport: udp\ncluster_name: ring\n}\n';
    expect(parseCorosyncConf(text + NODES).multicastAddress).toBe('239.192.6.125');
    const configured = text.replace('}', 'interface {\nmcastaddr: 239.255.1.1\nmcastport: 5410\nttl: 3\n}\n}');
    expect(parseCorosyncConf(configured + NODES)).toMatchObject({
      multicastAddress: '239.255.1.1',
      port: 5410,
      ttl: 3,
    });
  });

  it.each([
    ['a key that nobody knows', totem('rrp_mode: active'), 'line 4: totem.rrp_mode: found "rrp_mode", expected a key'],
    ['a second link', totem('interface {\nlinknumber: 1\n}'), 'line 5: totem.interface.linknumber: found "1"'],
    ['encryption', totem('crypto_cipher: aes256'), 'line 4: totem.crypto_cipher: found "aes256", expected only none'],
    ['knet, corosync’s default', 'totem {\nversion: 2\n}\n', 'line 1: totem.transport: found nothing, expected udpu'],
    ['another transport', 'totem {\nversion: 2\ntransport: knet\n}\n', 'line 3: totem.transport: found "knet"'],
    ['a timer that is no number', totem('token: 1s'), 'line 4: totem.token: found "1s", expected a whole number'],
    ['a timer that is too short', totem('token: 20'), 'totem.token: found "20", expected at least 30 ms'],
    ['a section that nobody knows', `${totem()}resources {\n}\n`, 'line 5: resources: found "resources", expected a'],
    ['a quorum device', `${totem()}quorum {\ndevice {\n}\n}\n`, 'line 6: quorum.device: found "device", expected no'],
    ['a tie breaker', `${totem()}quorum {\nauto_tie_breaker: 1\n}\n`, 'line 6: quorum.auto_tie_breaker: found'],
    ['no totem', '', 'totem: found nothing, expected a section with "version: 2"'],
    ['a line that is nothing', totem('hello'), 'line 4: totem: found "hello", expected "key: value"'],
    ['a brace too many', '}\n', 'line 1: corosync.conf: found "}", expected a section that is open'],
    ['a brace that is missing', 'totem {\n', 'totem: found nothing, expected a "}" for the section of line 1'],
    ['a key outside of all sections', 'token: 3000\n', 'line 1: corosync.conf.token: found "token"'],
  ])('with %s is refused, with its line', (_, text, message) => {
    expect(() => parseCorosyncConf(text + NODES)).toThrow(message);
  });

  it.each([
    ['no nodelist', '', 'nodelist: found nothing, expected a section with every node of the ring'],
    ['a host name', NODES.replace('10.99.0.2', 'n2'), 'nodelist.node.ring0_addr: found "n2", expected an IPv4 or IPv6'],
    ['an id twice', NODES.replace('nodeid: 7', 'nodeid: 1'), 'nodelist.node.nodeid: found "1", expected every id once'],
    ['a second ring', NODES.replace('name: n1', 'ring1_addr: 10.0.0.1'), 'line 9: nodelist.node.ring1_addr: found'],
    ['no id', NODES.replace('nodeid: 7', ''), 'line 11: nodelist.node.nodeid: found nothing, expected the id'],
  ])('with %s is refused', (_, nodes, message) => {
    expect(() => parseCorosyncConf(totem() + nodes)).toThrow(message);
  });
});
