import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { metadataText } from '../src/agents/metadata-text.js';
import { agentPrograms, installedAgents, readAgentMetadata } from '../src/index.js';
import { FakeMachine } from './agents-os.js';
import { parseConf } from './parse-conf.js';

let machine: FakeMachine;

beforeEach(() => {
  machine = new FakeMachine();
});

describe('every agent', () => {
  it('of resource-agents 3.9.5 is here', () => {
    const files = readdirSync(new URL('./data/vectors/agents', import.meta.url)).filter((name) =>
      name.endsWith('.xml'),
    );
    const names = installedAgents.map(({ metadata }) => `${metadata.name}.xml`);
    expect([...names].sort()).toEqual([...files].sort());
  });

  it('is installed where rgmanager looks for it', () => {
    expect([...agentPrograms.keys()].sort()).toEqual(installedAgents.map(({ file }) => file).sort());
  });

  it.each(installedAgents.map((agent) => [agent.metadata.name, agent.metadata] as const))(
    '%s prints metadata that reads back as its own',
    (type, metadata) => {
      const { status, output } = machine.agent(type, 'meta-data');
      expect(status).toBe(0);
      const declared = parseConf(metadataText(metadata));
      expect(readAgentMetadata(parseConf(output))).toEqual(readAgentMetadata(declared));
      const vector = parseConf(readFileSync(new URL(`./data/vectors/agents/${type}.xml`, import.meta.url), 'utf8'));
      expect(readAgentMetadata(parseConf(output))).toEqual(readAgentMetadata(vector));
    },
  );

  it.each(['ip', 'apache', 'fs', 'clusterfs'])(
    '%s does not know an action of another kind: 3, and how to call it',
    (type) => {
      const { status, output } = machine.agent(type, 'promote');
      expect(status).toBe(3);
      expect(output).toBe(
        `usage: /usr/share/cluster/${type}.sh {start|stop|status|monitor|restart|meta-data|validate-all}\n`,
      );
    },
  );

  it('service succeeds at everything and does nothing', () => {
    for (const action of [
      'start',
      'stop',
      'status',
      'monitor',
      'recover',
      'reconfig',
      'reload',
      'validate-all',
      'xyz',
    ]) {
      expect(machine.agent('service', action, { name: 'web' }).status).toBe(0);
      expect(machine.events).toEqual([]);
    }
  });
});

describe('script', () => {
  const FILE = '/etc/init.d/httpd';
  const attributes = { name: 'web', file: FILE };
  let isRunning = false;

  beforeEach(() => {
    isRunning = false;
    machine.programs.set(FILE, function* (argv) {
      switch (argv[1]) {
        case 'start':
          isRunning = true;
          return 0;
        case 'stop':
          isRunning = false;
          return 0;
        case 'status':
          return isRunning ? 0 : 3;
        default:
          return 2;
      }
    });
  });

  it.each([
    ['stop', [0]],
    ['start', [0]],
    ['start start', [0, 0]],
    ['start status', [0, 0]],
    ['status', [1]],
    ['start stop stop status', [0, 0, 0, 1]],
    ['monitor', [1]],
    ['validate-all', [0]],
  ])('%s', (actions, statuses) => {
    expect(actions.split(' ').map((action) => machine.agent('script', action, attributes).status)).toEqual(statuses);
  });

  it('says what it runs, and what came out if it failed', () => {
    machine.agent('script', 'status', attributes);
    expect(machine.events).toEqual([
      `info rgmanager: [script] Executing ${FILE} status`,
      `run ${FILE} status`,
      `err rgmanager: [script] script:web: status of ${FILE} failed (returned 3)`,
    ]);
  });

  it('lets the script see the name of its service', () => {
    let seen: string | undefined;
    machine.programs.set(FILE, function* (_argv, os) {
      seen = os.environment.OCF_RESKEY_service_name;
      return 0;
    });
    machine.agent('script', 'start', { ...attributes, service_name: 'my_service_group' });
    expect(seen).toBe('my_service_group');
  });

  it.each([
    ['no file', { name: 'web' }, 2],
    ['a file that no node has', { name: 'web', file: '/etc/init.d/none' }, 5],
  ])('%s: exit code for every action', (_name, wrong, status) => {
    for (const action of ['start', 'stop', 'status'])
      expect(machine.agent('script', action, wrong).status).toBe(status);
  });
});
