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

it('a domain that is not defined is warned of each time that a node is weighed', () => {
  const history = `
    > online 12
    > set service:s disabled 0 1
    > req 1 enable service:s
      n1 log warning: #66: Domain 'nope' specified for resource group service:s nonexistent!
      n1 log notice: Starting disabled service service:s
      n1 exec start service:s -> 0
      n1 exec start script:a -> 0
      n1 log notice: Service service:s started
      n1 event service:s started owner=1 last=1
      = 0 (Success) owner=n1`;
  expect(differences(2, `<service name="s" domain="nope">${SCRIPT}</service>`, history)).toEqual([]);
});

it('a service that has failed keeps its owner until somebody fails it again', () => {
  const history = `
    > online 12
    > set service:s failed 2 1
    > req 1 relocate service:s
      n1 event service:s failed owner=-1 last=2
      = -2 (Aborted; service failed) owner=n1
    > set service:s failed 2 1
    > down 2
    > show
      service:s failed owner=2 last=1 restarts=0 flags=0`;
  expect(differences(2, `<service name="s">${SCRIPT}</service>`, history)).toEqual([]);
});

it('a lock binds who comes later', () => {
  const history = `
    > online 1
    > set service:s stopped 0 0
    > lock
    > up 2
    > req 2 enable service:s
      = -6 (Temporary failure; try again) owner=n2
    > unlock
    > req 2 enable service:s
      n2 log notice: Starting stopped service service:s
      n2 exec start service:s -> 0
      n2 exec start script:a -> 0
      n2 log notice: Service service:s started
      n2 event service:s started owner=2 last=0
      = 0 (Success) owner=n2`;
  expect(differences(2, `<service name="s">${SCRIPT}</service>`, history)).toEqual([]);
});

it('an inline recovery starts what failed and nothing that was never started', () => {
  const rm = '<service name="s"><script name="a" file="/i/a" __independent_subtree="1"/></service>';
  const history = `
    > online 1
    > set service:s started 1
    > fail 1 status script:a 1
    > clock 60
    > req 1 status service:s
      n1 exec status script:a -> 1
      n1 log warning: Some independent resources in service:s failed; Attempting inline recovery
      n1 exec stop script:a -> 0
      n1 exec start script:a -> 0
      n1 log notice: Inline recovery of service:s complete
      = 0 (Success) owner=n1`;
  expect(differences(1, rm, history)).toEqual([]);
});

it('an evaluation marks what the dead owned, and starts nothing', () => {
  const history = `
    > online 13
    > set service:s started 2
    > eval 3 2 0
      n3 event service:s stopped owner=-1 last=2
    > show
      service:s stopped owner=0 last=2 restarts=0 flags=0`;
  expect(differences(3, `<service name="s">${SCRIPT}</service>`, history)).toEqual([]);
});

it('a service that nobody has looked at has no record', () => {
  const rm = '<service name="s"/><vm name="v"/>';
  const history = `
    > online 12
    > req 1 relocate service:s
      = -8 (Invalid operation for resource) owner=n1
    > show
    > req 1 enable vm:v
      n2 log err: Failed getting local status for RG vm:v
      n1 log notice: Starting stopped service vm:v
      n1 exec start vm:v -> 0
      n1 log notice: Service vm:v started
      n1 event vm:v started owner=1 last=0
      = 0 (Success) owner=n1
    > show
      service:s stopped owner=0 last=0 restarts=0 flags=0
      vm:v started owner=1 last=0 restarts=0 flags=0`;
  expect(differences(2, rm, history)).toEqual([]);
});

it('what is being recovered is forgotten with its owner', () => {
  const history = `
    > online 12
    > set service:s recoverable 1 1
    > down 1
      n2 log notice: Starting stopped service service:s
      n2 exec start service:s -> 0
      n2 exec start script:a -> 0
      n2 log notice: Service service:s started
      n2 event service:s started owner=2 last=1
    > set service:s recovering 0 2
    > up 1
    > down 2
    > show
      service:s recovering owner=0 last=2 restarts=0 flags=0`;
  expect(differences(2, `<service name="s">${SCRIPT}</service>`, history)).toEqual([]);
});

it('the last owner of what no node has owned is reported by number', () => {
  const rm = '<service name="s" exclusive="1"/><service name="t"/>';
  const history = `
    > online 1
    > set service:s stopped 0 0 1
    > set service:t started 1
    > req 1 enable service:s
      n1 event service:s failed owner=-1 last=0
      n1 log alert: #3: Service service:s returned failure code.  Last Owner: 0
      n1 log alert: #4: Administrator intervention required.
      = -1 (Failure) owner=n1`;
  expect(differences(1, rm, history)).toEqual([]);
});
