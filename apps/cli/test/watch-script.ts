import type { Stamped } from '@quorate/kernel';
import type { View } from '../src/views/view.js';

/**
 * Tells a view one line of a script:
 *
 *     12.5 node.state node=1 state="up"     a fact at that second
 *     12.5 step 2/10 a title                a step began
 *     12.5 step-ended                       it ended
 *     12.5 observed a sentence              it held
 *     12.5 missed a sentence : what was found
 *     lost 120                              slices of the clock
 *     end
 */
export function tell(view: View, line: string): void {
  const [first = '', ...words] = line.split(' ');
  if (first === 'end') return view.end();
  if (first === 'lost') return view.lost(Number(words[0]));
  const at = Math.round(Number(first) * 1e9);
  const [kind = '', ...rest] = words;
  const text = rest.join(' ');
  switch (kind) {
    case 'step': {
      const [, number, of, title = ''] = /^(\d+)\/(\d+) (.*)$/.exec(text) ?? [];
      return view.progress(at, { kind: 'step-began', id: title, title, number: Number(number), of: Number(of) });
    }
    case 'step-ended':
      return view.progress(at, { kind: 'step-ended', id: text });
    case 'observed':
    case 'missed': {
      const [sentence = '', found = ''] = text.split(' : ');
      const observed = { text: sentence, isTrue: kind === 'observed', found: found.replaceAll('\\n', '\n') };
      return view.progress(at, { kind: 'observed', step: '', observed });
    }
    default: {
      const fields = rest.map((field) => field.split('=')).map(([name, value]) => [name, JSON.parse(value!)]);
      const fact = { kind, now: at, at, node: 0, life: 1, seq: 0, ...Object.fromEntries(fields) } as Stamped;
      if (!view.kinds.includes(kind)) throw new Error(`the view does not ask for ${kind}`);
      return view.fact(fact);
    }
  }
}
