import { describe, expect, it } from 'vitest';
import { resultText, stateText } from '../src/index.js';
import { VectorCluster } from './vector-cluster.js';
import { table } from './vectors.js';
import { parseXml } from './xml.js';

type Row = Readonly<Record<string, string>>;

const conf = parseXml(`
  <cluster>
    <clusternodes><clusternode name="node1" nodeid="1"/><clusternode name="node2" nodeid="2"/></clusternodes>
    <rm><service name="s"><script name="a" file="/i/a"/></service><vm name="v"/></rm>
  </cluster>`);

/** What clusvcadm on node 1 gets and what it leads to. */
function perform(cluster: VectorCluster, row: Row): Row {
  const service = row.service!;
  cluster.heal();
  if (row.stop_fails === '1') cluster.fail({ node: 0, action: 'stop', resource: '*', status: 1 });
  if (row.start_fails === '1') cluster.fail({ node: 0, action: 'start', resource: '*', status: 1 });
  cluster.set(service, row.state!, Number(row.owner), Number(row.last), Number(row.flags));
  cluster.cluster.told.length = 0;
  const target = row.op!.endsWith('2') ? 2 : 0;
  cluster.request(1, row.op!.replace('2', ''), service, target);
  const told = cluster.cluster.told;
  const replies = told.flatMap((each) => (each.kind === 'reply' && each.reply.kind === 'result' ? [each.reply] : []));
  const execs = told.flatMap((each) => (each.kind === 'exec' ? [each.call] : []));
  const record = cluster.cluster.record(service)!;
  return {
    ...row,
    code: replies.map(({ code }) => code).join(),
    message: replies.map(({ code }) => resultText(code)).join(),
    state_after: stateText(record.state),
    owner_after: String(record.owner),
    last_after: String(record.lastOwner),
    flags_after: String(record.flags),
    execs: execs.map(({ node, action, resource }) => `n${node}:${action}:${resource}`).join(' '),
  };
}

/** A service that its owner is stopping is not started beside it, as the original does. */
function wanted(row: Row): Row {
  const isStoppedElsewhere = row.state === 'recoverable' && row.owner === '2' && row.online === '12';
  if (!isStoppedElsewhere || row.op !== 'enable' || row.service !== 'service:s') return row;
  const { owner, last, flags } = row;
  const unchanged = {
    state_after: 'recoverable',
    owner_after: owner!,
    last_after: last!,
    flags_after: flags!,
    execs: '',
  };
  return { ...row, ...unchanged, code: '-10', message: 'Service is already running' };
}

describe.each([['12'], ['1']])('with node %s online, clusvcadm on node 1 does what it did', (online) => {
  const rows = table('tables/operations.csv').filter((row) => row.online === online);
  const operations = [...new Set(rows.map(({ op }) => op!))];
  const cluster = new VectorCluster(conf, [...online].map(Number));
  it.each(operations)('%s', (operation) => {
    const recorded = rows.filter(({ op }) => op === operation);
    expect(recorded.map((row) => perform(cluster, row))).toEqual(recorded.map(wanted));
  });
});
