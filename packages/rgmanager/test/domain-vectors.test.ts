import { expect, it } from 'vitest';
import { type DomainSituation, type FailoverDomain, nodeScore } from '../src/state/failover-domain.js';
import { considerRelocate, considerStart } from '../src/state/placement.js';
import { ServiceState } from '../src/state/service-record.js';
import { table } from './vectors.js';

type Row = Readonly<Record<string, string>>;

const NODES = [1, 2, 3, 4];

function domainOf({ priorities, ordered, restricted, nofailback }: Row): FailoverDomain {
  return {
    name: 'd',
    isOrdered: ordered === '1',
    isRestricted: restricted === '1',
    isNofailback: nofailback === '1',
    nodes: priorities!.split('-').map((priority, i) => ({
      name: `node${i + 1}`,
      nodeId: i + 1,
      priority: ordered === '1' ? Number(priority) : 0,
    })),
  };
}

function situation(row: Row, owner: number, online: readonly number[]): DomainSituation {
  return { domain: domainOf(row), isStarted: owner !== 0, owner, isOnline: (node) => online.includes(node) };
}

function digits(text: string | undefined): readonly number[] {
  return [...(text ?? '')].map(Number).filter((node) => !Number.isNaN(node));
}

it('every node has the score for a service that it had', () => {
  const rows = table('tables/domain-scores.csv');
  const scored = rows.map((row) => {
    const online = digits(row.online);
    const at = situation(row, Number(row.owner), online);
    const scores = NODES.map((node) => [`score${node}`, online.includes(node) ? String(nodeScore(node, at)) : '-']);
    return { ...row, ...Object.fromEntries(scores) };
  });
  expect(scored).toEqual(rows);
});

/** Who wants to start the service, and who hands it over to whom, after a node came or went. */
function transition(row: Row): Row {
  const node = Number(row.node);
  const isUp = row.event === 'up';
  const before = digits(row.online_before);
  const online = isUp ? [...before, node].sort() : before.filter((each) => each !== node);
  const owner = row.owner_before === row.node && !isUp ? 0 : Number(row.owner_before);
  const state = owner === 0 ? ServiceState.STOPPED : ServiceState.STARTED;
  const record = { name: 'service:s', owner, lastOwner: 0, state, restarts: 0, transition: 1, flags: 0 };
  const at = situation(row, owner, online);
  const start = { record, load: { services: 0, exclusive: 0 }, autostart: undefined, exclusive: undefined };
  const isStart = (here: number): boolean =>
    (owner === 0 || isUp === (here === node)) &&
    considerStart({ ...at, ...start, here, isDependencyMissing: false }) === 'start';
  const isRelocation = (here: number): boolean => isUp && here !== node && considerRelocate(record, here, node, at);
  return {
    ...row,
    contenders: online.filter(isStart).join('') || '-',
    relocators:
      online
        .filter(isRelocation)
        .map((here) => `${here}>${node}`)
        .join(' ') || '-',
  };
}

it('the same nodes act when a node comes or goes', () => {
  const rows = table('tables/domain-transitions.csv');
  expect(rows.map(transition)).toEqual(rows);
});
