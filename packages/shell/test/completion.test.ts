import { describe, expect, it } from 'vitest';
import { commonPrefix, completionOf } from '../src/index.js';
import { ShellMachine } from './machine.js';

const FILES = {
  '/etc/hosts': '127.0.0.1 localhost\n10.0.0.1 my-vm1 my-vm1.example\n10.0.0.2 my-vm2 # the other\n',
  '/etc/cluster/cluster.conf': '<cluster/>\n',
  '/etc/cluster/.old': '',
  "/etc/cluster/it's new": '',
};

describe('a line is completed', () => {
  const machine = new ShellMachine(FILES);

  it.each([
    ['clus', ['clustat', 'clusvcadm']],
    ['  dlm', ['dlm_controld', 'dlm_tool']],
    ['ls /etc | gre', ['grep']],
    ['cat /etc/cl', ['/etc/cluster/']],
    ['cat /etc/hosts /etc/cluster/', ['/etc/cluster/cluster.conf', "/etc/cluster/it\\'s\\ new"]],
    ['cat /etc/cluster/.', ['/etc/cluster/.old']],
    ['cat /none/', []],
    ['service rg', ['rgmanager']],
    ['service cman st', ['start', 'status', 'stop']],
    ['chkconfig cman o', ['off', 'on']],
    ['ssh my', ['my-vm1', 'my-vm1.example', 'my-vm2']],
    ['clusvcadm -r web -m my-vm2', ['my-vm2']],
    ['clusvcadm -b my-vm2', ['my-vm2']],
    ['nothing', []],
  ])('%s', (line, expected) => {
    const { start, command, candidates } = completionOf(line);
    expect(candidates(command === undefined ? '' : machine.type(command).output)).toEqual(expected);
    expect(line.slice(start)).toBe(line.split(' ').at(-1));
  });

  it.each([
    [['clustat', 'clusvcadm'], 'clus'],
    [['one'], 'one'],
    [['a', 'b'], ''],
    [[], ''],
  ])('as far as all agree: %j', (candidates, expected) => {
    expect(commonPrefix(candidates)).toBe(expected);
  });

  it.each([
    ['compgen', 'compgen: : invalid option'],
    ['compgen -A alias', 'compgen: alias: invalid action name'],
  ])('%s is refused', (line, complaint) => {
    expect(machine.type(line)).toEqual({ status: 2, output: '', errors: `-bash: ${complaint}\n` });
  });
});
