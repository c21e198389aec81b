import { readdirSync } from 'node:fs';
import { Checker, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import {
  type EventScript,
  followService,
  invariants,
  Result,
  type RgRequest,
  resultText,
  type ServiceOperation,
  stateText,
} from '../src/index.js';
import { type AgentCall, RgCluster, type Told } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { Running } from './running.js';
import { vectors } from './vectors.js';

/** An agent's behaviour in a transcript: `agent ip:10.0.0.1 stop on=2 takes=10 status=1`. */
interface Behaviour {
  readonly resource: string;
  readonly action: string;
  readonly on: number;
  readonly takes: number;
  readonly status: number;
}

/** Scripts that a transcript's `<events>` can name. */
const SCRIPTS: ReadonlyMap<string, EventScript> = new Map<string, EventScript>([
  ['/scripts/follow', (event, cluster) => followService(event, cluster, 'service:db', 'service:replica', 'service:db')],
  [
    '/scripts/say',
    function* say(event, cluster) {
      yield* cluster.serviceStatus('service:none');
      cluster.notice(event.kind, ' ', event.kind === 'node' ? event.name : event.service);
    },
  ],
  [
    '/scripts/fail',
    function* fail() {
      throw new Error('no such thing');
    },
  ],
  [
    '/scripts/refuse',
    function* refuse(event, cluster) {
      if (event.kind !== 'user') return;
      cluster.userReturn = Result.PERM;
      cluster.stopProcessing();
    },
  ],
]);

const QUIET: readonly string[] = ['info', 'debug'];

/**
 * Plays a transcript: `nodes 1 2 3` and lines of XML below `rm` make the cluster, then
 *
 * With `nodes 1 2 3 central` one of them decides for all, by `SCRIPTS`, and `master` says which, as the nodes have it.
 *
 * boot N.., shutdown N      rgmanager starts; SIGTERM
 * kill N, lose N.., fence N.., down N   power off; cman notices; it is fenced; all at once
 * quorum yes|no             as cman says
 * reconfigure               with the lines of XML that follow
 * ask N OPERATION [SERVICE [TARGET]]
 * agent RESOURCE ACTION [on=N] [takes=S] [status=N], heal
 * run S, show, checks       time passes; records; from now on status checks are shown
 * departures                what kept services where their domains did not want them, so far
 */
class Player {
  #nodes: readonly string[] = [];
  #isCentral = false;
  #cluster: RgCluster | undefined;
  #behaviours: Behaviour[] = [];
  #showsChecks = false;
  #facts = 0;
  readonly running = new Running();
  readonly #checker = new Checker(invariants);

  execute(lines: readonly string[]): readonly string[] {
    const xml = lines.filter((line) => line.trimStart().startsWith('<')).join('\n');
    const out = lines.filter((line) => !line.trimStart().startsWith('<')).flatMap((line) => this.#command(line, xml));
    return [...out, ...this.#take()];
  }

  violations(): readonly string[] {
    this.#check();
    this.#checker.end(this.#machines.now);
    return this.#checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
  }

  #command(line: string, xml: string): readonly string[] {
    const [command, ...words] = line.split(' ');
    const ids = words.map(Number);
    switch (command) {
      case 'nodes':
        this.#nodes = words.filter((word) => word !== 'central');
        this.#isCentral = words.includes('central');
        this.#cluster = new RgCluster(this.#conf(xml), { agents: recordedAgents(vectors), eventScripts: SCRIPTS });
        this.#cluster.agent = (call) => this.#agent(call);
        this.#cluster.fence = (victim) => this.#down(victim);
        return [];
      case 'boot':
        for (const id of ids) this.#machines.start(id);
        return [];
      case 'shutdown':
        for (const id of ids) this.#machines.shutdown(id);
        return [];
      case 'kill':
      case 'down':
        if (command === 'kill') for (const id of ids) this.#machines.kill(id);
        else this.#down(...ids);
        return [];
      case 'lose':
        this.#machines.lose(...ids);
        return [];
      case 'fence':
        this.#fence(ids);
        return [];
      case 'quorum':
        this.#machines.isQuorate = () => words[0] === 'yes';
        this.#machines.lose();
        return [];
      case 'reconfigure':
        this.#machines.reconfigure(this.#conf(xml));
        return [];
      case 'ask':
        this.#machines.request(ids[0]!, request(words[1]!, words[2] ?? '', ids[3]));
        return [];
      case 'agent':
        this.#behaviours.unshift(behaviour(words));
        return [];
      case 'heal':
        this.#behaviours = [];
        return [];
      case 'checks':
        this.#showsChecks = true;
        return [];
      case 'run':
        return this.#run(ids[0]!);
      case 'show':
        return this.#show();
      case 'master':
        return this.#machines.running.map((id) => `${id}: ${this.#machines.inspect(id).master}`);
      case 'departures':
        return [...this.#checker.counts].map(([name, { times }]) => `${name} ${times}`);
      default:
        throw new Error(`unknown command ${line}`);
    }
  }

  get #machines(): RgCluster {
    if (this.#cluster === undefined) throw new Error('a transcript begins with nodes');
    return this.#cluster;
  }

  #conf(xml: string) {
    const nodes = this.#nodes.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
    const central = this.#isCentral ? ' central_processing="1"' : '';
    return parseConf(`<cluster><clusternodes>${nodes}</clusternodes><rm${central}>${xml}</rm></cluster>`);
  }

  #down(...ids: readonly number[]): void {
    for (const id of ids) this.#machines.kill(id);
    this.#machines.lose(...ids);
    this.#fence(ids);
  }

  #fence(ids: readonly number[]): void {
    for (const id of ids) this.running.down(id);
    this.#machines.fenced(...ids);
  }

  #agent({ node, resource, action }: AgentCall): { takes: number; status: number } {
    const found = this.#behaviours.find(
      (each) =>
        (each.resource === resource || each.resource === '*') &&
        each.action === action &&
        (each.on === 0 || each.on === node),
    );
    const { takes = 0, status = 0 } = found ?? {};
    // A start counts from its beginning, a stop at its end.
    if (action === 'start' && status === 0) this.running.start(resource, node);
    if (action === 'stop' || action === 'migrate') {
      this.#machines.at(this.#machines.now + takes * SECOND, () => this.running.stop(resource, node));
    }
    return { takes: takes * SECOND, status };
  }

  /** A second at a time, so that settled states are looked at. */
  #run(seconds: number): readonly string[] {
    for (let left = seconds; left > 0; left -= 1) {
      this.#machines.run(Math.min(1, left) * SECOND);
      this.#check();
      this.#checker.tick(this.#machines.now);
    }
    return this.#take();
  }

  #check(): void {
    const { facts } = this.#machines;
    for (; this.#facts < facts.length; this.#facts += 1) this.#checker.observe(facts[this.#facts]!);
  }

  #take(): readonly string[] {
    return this.#machines.told.splice(0).flatMap((told) => this.#describe(told));
  }

  #describe(told: Told): readonly string[] {
    const line = (node: number, text: string): string => `${(told.at / SECOND).toFixed(2).padStart(7)} ${node} ${text}`;
    switch (told.kind) {
      case 'log':
        return QUIET.includes(told.priority) ? [] : [line(told.node, told.text)];
      case 'exec': {
        const { node, action, resource, depth, argument = '' } = told.call;
        if (action === 'status' && told.status === 0 && !this.#showsChecks) return [];
        const words = [action, resource, depth > 0 ? `depth ${depth}` : '', argument].filter((word) => word !== '');
        return [line(node, `> ${words.join(' ')}${told.status === 0 ? '' : ` = ${told.status}`}`)];
      }
      case 'reply':
        return [line(told.node, `= ${describeReply(told.reply)}`)];
      case 'exited':
        return [line(told.node, `exited ${told.status}`)];
      case 'fence':
        return [line(told.node, `fence ${told.victim}`)];
      case 'event':
        return [];
    }
  }

  /** Records as the nodes have them, with the nodes that have them. */
  #show(): readonly string[] {
    const cluster = this.#machines;
    const lines = new Map<string, number[]>();
    for (const id of cluster.running) {
      for (const { name, state, owner, lastOwner, restarts, flags } of cluster.inspect(id).services) {
        const text = `${name} ${stateText(state)} owner ${owner} last ${lastOwner} restarts ${restarts} flags ${flags}`;
        lines.set(text, [...(lines.get(text) ?? []), id]);
      }
    }
    return [...lines].map(([text, ids]) => `${text} (${ids.join(' ')})`);
  }
}

function request(kind: string, service: string, target: number | undefined): RgRequest {
  if (kind === 'lock' || kind === 'unlock' || kind === 'query-lock' || kind === 'status') return { kind };
  const operation = kind === 'enable-domain' ? 'enable' : (kind as ServiceOperation);
  return {
    kind: operation,
    service: service.includes(':') ? service : `service:${service}`,
    ...(target !== undefined && { target }),
    ...(kind === 'enable-domain' && { isDomainStart: true }),
  };
}

function behaviour([resource = '*', action = '', ...options]: readonly string[]): Behaviour {
  const values = new Map(options.map((option) => option.split('=') as [string, string]));
  const number = (name: string): number => Number(values.get(name) ?? 0);
  return { resource, action, on: number('on'), takes: number('takes'), status: number('status') };
}

function describeReply(reply: Extract<Told, { kind: 'reply' }>['reply']): string {
  switch (reply.kind) {
    case 'result':
      return `${reply.code} ${resultText(reply.code)}, owner ${reply.owner}`;
    case 'lock-state':
      return reply.isLocked ? 'locked' : 'unlocked';
    case 'status':
      return reply.services.map(({ name, state, owner }) => `${name} ${stateText(state)} on ${owner}`).join(', ');
    case 'addresses':
      return reply.addresses.join(' ');
    case 'unreachable':
      return 'unreachable';
  }
}

const directory = new URL('./data/cluster/', import.meta.url);

describe('clusters of rgmanagers', () => {
  it.each(readdirSync(directory).sort())('%s', (name) => {
    const player = new Player();
    checkTranscript(new URL(name, directory), (lines) => player.execute(lines));
    expect(player.violations()).toEqual([]);
    expect(player.running.doubles).toEqual([]);
  });
});
