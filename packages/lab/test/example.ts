import { SECOND } from '@quorate/kernel';
import { Director, type DirectorInput, type Lab, type Scenario } from '../src/index.js';

/** Boots two machines, pulls a cable, and asks the other machine what it sees. */
const scenario: Scenario<string> = {
  name: 'pulled-cable',
  title: 'a cable is pulled',
  kinds: ['node.state'],
  *script(lab: Lab) {
    lab.powerOn('left', 'right');
    yield* lab.waitFor((fact) => fact.kind === 'node.state' && fact.node === 2, 60 * SECOND);
    lab.setLink('left', false);
    yield* lab.wait(5 * SECOND);
    const done = yield* lab.exec('right', 'ping -c1 left');
    return done === undefined ? 'no answer' : `ping ends with ${done.status}`;
  },
};

/** What a driver does: it obeys what the script emits, and feeds back time, facts and answers. */
export function example(): string[] {
  const lines: string[] = [];
  const director = new Director(scenario, ['left', 'right']);
  const step = (now: number, input: DirectorInput): void =>
    director.step(now, input, (output) => lines.push(`${now / SECOND} s: ${JSON.stringify(output)}`));
  step(0, { kind: 'start' });
  const up = { kind: 'node.state', now: 30 * SECOND, at: 30 * SECOND, node: 2, life: 1, seq: 1 };
  step(30 * SECOND, { kind: 'fact', fact: up });
  step(director.deadline(), { kind: 'wake' });
  step(37 * SECOND, { kind: 'replied', id: 1, result: { status: 1, output: '', errors: '' } });
  return lines;
}
