import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itUnless, lacksPrograms, oracleEnv, pathOf } from '../../../tooling/oracle.js';
import { isThorough } from '../../../tooling/thorough.js';
import {
  formatQuorumNodes,
  formatQuorumStatus,
  formatVotequorumNodes,
  formatVotequorumStatus,
  type VotequorumView,
} from '../src/index.js';

/** 2026-11-29 18:51:38 UTC. */
const WALL = 1_795_978_298;

const ALONE: VotequorumView = {
  provider: 'corosync_votequorum',
  isQuorate: true,
  ring: { representative: 1, seq: 5 },
  wall: WALL,
  nodeId: 1,
  expectedVotes: 1,
  highestExpected: 1,
  totalVotes: 1,
  quorum: 1,
  isTwoNode: false,
  isWaitForAll: false,
  isLastManStanding: false,
  isAutoTieBreaker: false,
  isDownscaleAllowed: false,
  members: [{ nodeId: 1, name: 'one', votes: 1 }],
};

/** Settings of corosync.conf for one running node of some, and what votequorum says then. */
const CASES: Readonly<Record<string, { quorum: string; votes: readonly number[]; view: Partial<VotequorumView> }>> = {
  'a node alone': { quorum: '', votes: [1], view: {} },
  'one of two, with every switch': {
    quorum: 'wait_for_all: 0\n allow_downscale: 1\n last_man_standing: 1\n auto_tie_breaker: 1',
    votes: [1, 1],
    view: {
      isQuorate: false,
      expectedVotes: 2,
      highestExpected: 2,
      quorum: 2,
      isLastManStanding: true,
      isAutoTieBreaker: true,
      isDownscaleAllowed: true,
    },
  },
  'one of two in two-node mode, which waits for all': {
    quorum: 'two_node: 1',
    votes: [1, 1],
    view: {
      isQuorate: false,
      expectedVotes: 2,
      highestExpected: 2,
      isTwoNode: true,
      isWaitForAll: true,
    },
  },
  'one of two in two-node mode, which does not wait': {
    quorum: 'two_node: 1\n wait_for_all: 0',
    votes: [1, 1],
    view: { expectedVotes: 2, highestExpected: 2, isTwoNode: true },
  },
  'a node with most of the votes': {
    quorum: '',
    votes: [7, 3, 3],
    view: {
      expectedVotes: 13,
      highestExpected: 13,
      totalVotes: 7,
      quorum: 7,
      members: [{ nodeId: 1, name: 'one', votes: 7 }],
    },
  },
};

function corosyncConf(quorum: string, votes: readonly number[]): string {
  const nodes = votes.map(
    (count, i) => `node {
  ring0_addr: 127.0.0.${i + 1}
  nodeid: ${i + 1}
  name: ${['one', 'two', 'three'][i]}
  quorum_votes: ${count}
 }`,
  );
  return `totem {
 version: 2
 transport: udpu
 crypto_cipher: none
 crypto_hash: none
}
nodelist {
 ${nodes.join('\n ')}
}
quorum {
 provider: corosync_votequorum
 ${quorum}
}
logging {
 to_stderr: yes
 to_syslog: no
}
`;
}

/** Runs corosync in a network and with files of its own until it answers; what its tool prints then. */
const SCRIPT = `
ip link set lo up && mount -t tmpfs none /var/lib/corosync && mount -t tmpfs none /dev/shm && mount -t tmpfs none /run
corosync -c "$1" -f 2>"$1.log" &
pid=$!
for i in $(seq 100); do
  corosync-quorumtool -s >/dev/null 2>&1
  [ $? = 1 ] || break
  sleep 0.1
done
corosync-quorumtool -s
echo ----
corosync-quorumtool -l
kill $pid
wait $pid
`;

function lacks(): string | undefined {
  const missing = lacksPrograms('corosync', 'corosync-quorumtool', 'unshare', 'ip');
  if (missing !== undefined) return missing;
  const { status } = spawnSync(pathOf('unshare')!, ['-n', '-m', 'true'], { env: oracleEnv });
  if (status === 0) return undefined;
  const why = 'namespaces are not allowed here';
  if (isThorough) throw new Error(why);
  return why;
}

describe('corosync-quorumtool of corosync 3', () => {
  const why = lacks();

  for (const [name, { quorum, votes, view }] of Object.entries(CASES).slice(0, isThorough ? undefined : 2)) {
    itUnless(why, `-s and -l print what the real one prints: ${name}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'quorumtool-'));
      const conf = join(folder, 'corosync.conf');
      writeFileSync(conf, corosyncConf(quorum, votes));
      const argv = ['-n', '-m', 'sh', '-c', SCRIPT, 'sh', conf];
      const { stdout } = spawnSync(pathOf('unshare')!, argv, { env: oracleEnv, encoding: 'utf8' });
      const date = /^Date: .*$/m.exec(stdout)?.[0] ?? 'no date';
      const ours = { ...ALONE, ...view };
      const status = formatVotequorumStatus(ours).replace(/^Date: .*$/m, date);
      expect(`${status}----\n${formatVotequorumNodes(ours)}`).toBe(stdout);
      rmSync(folder, { recursive: true });
    });
  }

  it('with a quorum device, which counts on this node and does not on another', () => {
    const device = { isAlive: true, isVoting: true, isMasterWins: false };
    const view: VotequorumView = {
      ...ALONE,
      ring: { representative: 1, seq: 0x19cc },
      expectedVotes: 9,
      highestExpected: 9,
      totalVotes: 8,
      quorum: 5,
      members: [
        { nodeId: 1, name: 'one', votes: 1, device },
        { nodeId: 2, name: 'two', votes: 1, device: { isAlive: false, isVoting: false, isMasterWins: true } },
        { nodeId: 3, name: 'three', votes: 1 },
      ],
      device: { name: 'Qdevice', votes: 4 },
    };
    expect(formatVotequorumStatus(view)).toBe(`Quorum information
------------------
Date:             Sun Nov 29 18:51:38 2026
Quorum provider:  corosync_votequorum
Nodes:            3
Node ID:          1
Ring ID:          1.19cc
Quorate:          Yes

Votequorum information
----------------------
Expected votes:   9
Highest expected: 9
Total votes:      8
Quorum:           5  
Flags:            Quorate Qdevice 

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW one (local)
         2          1   NA,NV,MW two
         3          1         NR three
         0          4            Qdevice
`);
    const other = formatVotequorumNodes({ ...view, nodeId: 2 });
    expect(other).toContain('         0          0            Qdevice (votes 4)\n');
  });
});

it('corosync-quorumtool of corosync 1.4 shows no votes, for cman reckons them', () => {
  const view = { ...ALONE, provider: 'quorum_cman', ring: { representative: 1, seq: 6604 } };
  expect(formatQuorumStatus(view, '1.4.7')).toBe(
    'Version:          1.4.7\nNodes:            1\nRing ID:          6604\nQuorum type:      quorum_cman\nQuorate:          Yes\n',
  );
  expect(formatQuorumNodes([{ nodeId: 16, name: 'one' }], true)).toBe('Nodeid     Name\n0x0010   one\n');
});
