import { describe, expect, it } from 'vitest';
import { type RgInput, Rgmanager } from '../src/index.js';
import { parseConf } from './parse-conf.js';

const CONF = parseConf('<cluster><clusternodes><clusternode name="n" nodeid="1"/></clusternodes><rm/></cluster>');

/** What a manager without services does about its lockspace and its end, input by input. */
function play(...inputs: readonly RgInput[]): readonly (readonly string[])[] {
  const manager = new Rgmanager({ nodeId: 1, nodes: [{ id: 1, name: 'n' }], conf: CONF });
  const beginning: readonly RgInput[] = [
    { kind: 'start', wall: 0 },
    { kind: 'membership', members: [1], isQuorate: true },
  ];
  const said = [...beginning, ...inputs].map((input) => {
    const kinds: string[] = [];
    manager.step(0, input, ({ kind }) => kinds.push(kind));
    return kinds.filter((kind) => kind.endsWith('-lockspace') || kind === 'exited');
  });
  return said.slice(beginning.length);
}

describe('the end of rgmanager', () => {
  it('comes when its lockspace is released', () => {
    const said = play({ kind: 'lockspace-created' }, { kind: 'shutdown' }, { kind: 'lockspace-released' });
    expect(said).toEqual([[], ['release-lockspace'], ['exited']]);
  });

  it('leaves no lockspace behind that is still being created', () => {
    const said = play({ kind: 'shutdown' }, { kind: 'lockspace-released' });
    expect(said).toEqual([['release-lockspace'], ['exited']]);
  });

  it('does not wait for a lockspace when cman is gone, which nobody leaves any more', () => {
    const said = play({ kind: 'lockspace-created' }, { kind: 'shutdown' }, { kind: 'cman-shutdown' });
    expect(said).toEqual([[], ['release-lockspace'], ['exited']]);
  });
});
