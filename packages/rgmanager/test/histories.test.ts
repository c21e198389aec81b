import { expect, it } from 'vitest';
import { type RecordedFiles, recordedCases } from '../src/conformance/index.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

/** Where the original's decisions, called one after the other, go another way than those recordings show. */
function differences(nodes: number, rm: string, history: string): readonly string[] {
  const expected = history.trim().replace(/^\s+(?=>)/gm, '');
  const clusternodes = Array.from({ length: nodes }, (_, i) => `<clusternode name="node${i + 1}" nodeid="${i + 1}"/>`);
  const conf = `<cluster><clusternodes>${clusternodes.join('')}</clusternodes><rm>${rm}</rm></cluster>`;
  const commands = expected.split('\n').filter((line) => line.startsWith('> '));
  const texts = new Map([
    ['trace/t.conf', conf],
    ['trace/t.script', commands.map((line) => line.slice(2)).join('\n')],
    ['trace/t.expected', expected.replace(/^ +/gm, '  ')],
  ]);
  const text = (path: string): string => texts.get(path) ?? vectors.text(path);
  const files: RecordedFiles = {
    names: (folder) =>
      folder === 'trace' ? ['t.conf', 't.script', 't.expected'] : folder === 'agents' ? vectors.names(folder) : [],
    text,
    element: (path) => parseConf(text(path)),
  };
  return recordedCases(files)
    .filter(({ name }) => name === 'trace/t')
    .flatMap((each) => each.differences());
}

const SCRIPT = '<script name="a" file="/i/a"/>';

it('of those who want a service the lowest is first, whoever came', () => {
  const history = `
    > online 12
    > set service:s stopped 0 0 0 0
    > up 3
      n1 log notice: Starting stopped service service:s
      n1 exec start service:s -> 0
      n1 exec start script:a -> 0
      n1 log notice: Service service:s started
      n1 event service:s started owner=1 last=0
    > show
      service:s started owner=1 last=0 restarts=0 flags=0`;
  expect(differences(3, `<service name="s">${SCRIPT}</service>`, history)).toEqual([]);
});

it('who depends on a service that is restarted hears of it when it runs again', () => {
  const rm = '<service name="s"/><service name="t" depend="service:s"/>';
  const history = `
    > online 1
    > set service:s stopped 0 0 0 0
    > set service:t stopped 0 0 0 0
    > req 1 enable service:s
      n1 log notice: Starting stopped service service:s
      n1 exec start service:s -> 0
      n1 log notice: Service service:s started
      n1 event service:s started owner=1 last=0
      = 0 (Success) owner=n1
      n1 log notice: Starting stopped service service:t
      n1 exec start service:t -> 0
      n1 log notice: Service service:t started
      n1 event service:t started owner=1 last=0
    > req 1 restart service:s
      n1 log notice: Stopping service service:s
      n1 exec stop service:s -> 0
      n1 log notice: Service service:s is stopped
      n1 event service:s stopped owner=-1 last=1
      n1 log notice: Starting stopped service service:s
      n1 exec start service:s -> 0
      n1 log notice: Service service:s started
      n1 event service:s started owner=1 last=1
      = 0 (Success) owner=n1`;
  expect(differences(1, rm, history)).toEqual([]);
});

it('a virtual machine goes to the better node before that looks where it runs', () => {
  const rm =
    '<failoverdomains><failoverdomain name="d" ordered="1"><failoverdomainnode name="node2" priority="1"/>' +
    '<failoverdomainnode name="node1" priority="2"/></failoverdomain></failoverdomains><vm name="v" domain="d"/>';
  const history = `
    > online 1
    > set vm:v started 1 0
    > up 2
      n1 log notice: Migrating vm:v to better node node2
      n1 log notice: Migrating vm:v to node2
      n1 exec migrate vm:v node2 -> 0
      n1 log notice: Migration of vm:v to node2 completed
      n1 exec status vm:v -> 0
      n2 log notice: Migration: vm:v is running on 1`;
  expect(differences(2, rm, history)).toEqual([]);
});
