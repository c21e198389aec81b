import { ReserveOut } from '@quorate/scsi';
import { describe, it } from 'vitest';
import { checkTranscript, marked } from '../../../tooling/transcript.js';
import { ShellMachine } from './machine.js';

const FILES = {
  '/etc/hosts': '127.0.0.1 localhost\n10.0.0.1 my-vm1\n',
  '/etc/cluster/cluster.conf': '<cluster/>\n',
  '/etc/cluster/rm.conf':
    '<cluster><rm><service name="web"><ip address="10.0.0.9"/><script name="web" file="/etc/init.d/web"/></service></rm></cluster>\n',
  '/etc/cluster/rm2.conf': '<cluster><rm><service name="web"><ip address="10.0.0.8"/></service></rm></cluster>\n',
  '/etc/cluster/torn.conf': '<cluster><rm>',
  '/etc/cluster/mine.conf': `<?xml version="1.0"?>
<cluster name="mine" config_version="3"><!-- by hand -->
    <cman  expected_votes='1'/>
    <clusternodes>
        <clusternode nodeid="1" name="my-vm1"/> <!-- the first -->
    </clusternodes>
</cluster>
`,
  '/etc/.hidden': '',
  '/etc/httpd/conf/httpd.conf': 'Listen 80\nDocumentRoot "/var/www/html"\n',
  '/var/www/html/index.html': '<h1>"Hello, World"</h1>\n',
  '/etc/numbers': 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\n',
  '/etc/words': 'abc\nfenced\nlast line has no end',
};

/** Another initiator's commands: `% register NEXUS KEY`, `% reserve|release NEXUS KEY TYPE`, `% preempt NEXUS KEY VICTIM TYPE`. */
function happen(machine: ShellMachine, line: string): void {
  const [, what, first = '', key = '', ...rest] = line.split(' ');
  const own = BigInt(`0x${key || '0'}`);
  switch (what) {
    case 'wait':
      return machine.wait(Number(first));
    case 'register':
      return machine.reserveOut(Number(first), ReserveOut.registerAndIgnoreExistingKey, 0, 0n, own);
    case 'reserve':
      return machine.reserveOut(Number(first), ReserveOut.reserve, Number(rest[0]), own, 0n);
    case 'release':
      return machine.reserveOut(Number(first), ReserveOut.release, Number(rest[0]), own, 0n);
    case 'preempt': {
      const [victim, type] = rest;
      return machine.reserveOut(Number(first), ReserveOut.preemptAndAbort, Number(type), own, BigInt(`0x${victim}`));
    }
    default:
      throw new Error(`unknown: ${line}`);
  }
}

/** What a command prints behind `|`, its complaints behind `!`, and its status if it is not 0. */
function execute(machine: ShellMachine, line: string): readonly string[] {
  if (line.startsWith('%')) {
    happen(machine, line);
    return [];
  }
  const { status, output, errors } = machine.type(line);
  return [...marked('|', output), ...marked('!', errors), ...(status === 0 ? [] : [`status ${status}`])];
}

describe('what is typed', () => {
  it.each([
    ['files', 'files and directories'],
    ['trees', 'find, stat and du, and columns of texts'],
    ['text', 'lines of files and of what comes in'],
    ['ccs', 'cluster.conf without an editor'],
    ['machine', 'the machine itself, without a cluster'],
    ['remote', 'other machines, and how full file systems are'],
    ['sg-persist', 'registrations and reservations, in the words of sg3_utils'],
  ])('%s.txt: %s', (name) => {
    const machine = new ShellMachine(FILES);
    checkTranscript(
      new URL(`data/${name}.txt`, import.meta.url),
      (lines) => lines.flatMap((line) => execute(machine, line)).join('\n') || 'nothing',
    );
  });
});
