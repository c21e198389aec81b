import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const NAMES = ['node1', 'node2', 'node3'];
const FILE = '/etc/cluster/cluster.conf';

/** Three machines and a service, and what may come into it: a second service, or what is wrong. */
function conf(version: number, extra = ''): string {
  const nodes = NAMES.map((name, i) => `    <clusternode name="${name}" nodeid="${i + 1}"/>`).join('\n');
  return `<cluster config_version="${version}" name="plain">
  <cman expected_votes="3"/>
  <clusternodes>
${nodes}
  </clusternodes>
  <rm>
    <service name="web"><ip address="10.0.0.58" sleeptime="0"/></service>${extra}
  </rm>
</cluster>
`;
}

const SECOND_SERVICE = '\n    <service name="mail"><ip address="10.0.0.59" sleeptime="0"/></service>';

/** What somebody may write, and what is said to it. */
const BAD: readonly { readonly text: string; readonly said: string }[] = [
  {
    text: conf(2).replace('</rm>', '</mr>'),
    said: '10:7: /cluster/rm: found "</mr>", expected </rm> first',
  },
  {
    text: 'config_version=2\n',
    said: '3:1: /: found nothing, expected well-formed XML (text data outside of root node)',
  },
  {
    text: '',
    said: '1:1: /: found nothing, expected well-formed XML (document must contain a root element)',
  },
  {
    text: conf(2).replace('expected_votes="3"', 'expected_votes="many"'),
    said: '2:9: /cluster/cman/@expected_votes: found "many", expected an integer of at least 1',
  },
  {
    text: conf(2).replace('nodeid="3"', 'nodeid="2"'),
    said: '6:31: /cluster/clusternodes/clusternode[3]/@nodeid: found "2", expected an id of its own; node2 has this one',
  },
  {
    text: conf(2).replace('config_version="2"', 'config_version="two"'),
    said: '1:10: /cluster/@config_version: found "two", expected an integer of at least 1',
  },
];

interface Seen {
  /** What `cman_tool version` said to each bad file: with `-r`, with `-r` and no look at the file before, and alone afterwards. */
  readonly refused: readonly string[];
  readonly taken: string;
  readonly clustat: string;
  /** Records of services that were written while bad files came. */
  readonly changes: number;
  readonly log: string;
}

it('a cluster.conf that is wrong is refused by line and path, services go on, and the next good one is taken', () => {
  let changes = 0;
  function* distribute(lab: Lab, text: string): Task {
    for (const name of NAMES) yield* lab.exec(name, `echo '${text}' > ${FILE}`);
  }
  function* tell(lab: Lab, line: string): Task<string> {
    const done = yield* lab.exec('node1', line);
    return done === undefined ? 'no answer' : `${done.status} ${done.output}${done.errors}`.trim();
  }
  const scenario: Scenario<Seen> = {
    name: 'bad-configuration',
    title: 'a cluster.conf with mistakes',
    kinds: ['rg.service'],
    onFact: () => {
      changes += 1;
    },
    *script(lab) {
      lab.powerOn(...NAMES);
      yield* lab.wait(60 * SECOND);
      changes = 0;
      const refused: string[] = [];
      for (const { text } of BAD) {
        yield* distribute(lab, text);
        refused.push(yield* tell(lab, 'cman_tool version -r -S'));
        refused.push(yield* tell(lab, 'cman_tool version -r -S -Dnone'));
        yield* lab.wait(2 * SECOND);
        refused.push(yield* tell(lab, 'cman_tool version'));
      }
      yield* distribute(lab, conf(1));
      refused.push(yield* tell(lab, 'cman_tool version -r -S'));
      const before = changes;
      yield* distribute(lab, conf(2, SECOND_SERVICE));
      const taken = yield* tell(lab, 'cman_tool version -r -S');
      yield* lab.wait(20 * SECOND);
      const clustat = yield* tell(lab, 'clustat');
      return { refused, taken, clustat, changes: before, log: yield* tell(lab, 'cat /var/log/messages') };
    },
  };
  const topology = plainTopology({ machines: 3, clusterConf: conf(1), programs: administratorsPrograms });
  const run = new Simulator({ scenario, topology, seed: parseSeed('1')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  const { refused, taken, clustat, changes: written, log } = run.result as Seen;
  expect(refused).toEqual([
    ...BAD.flatMap(({ said }) => [
      `1 ${FILE}:${said}\nConfiguration fails to validate\ncman_tool: Not reloading, configuration is not valid`,
      '1 cman_tool: Error loading configuration in corosync/cman',
      '0 6.2.0 config 1',
    ]),
    '1 cman_tool: Not reloading, config version older or equal the running config',
  ]);
  expect(written).toBe(0);
  for (const { said } of BAD) expect(log).toContain(`Can't get updated config version: ${FILE}:${said}.`);
  expect(taken).toBe('0');
  expect(clustat).toMatch(/service:mail +node\d +started/);
  expect(clustat).toMatch(/service:web +node\d +started/);
  expect(log.match(/Starting stopped service service:web/g)).toHaveLength(1);
});
