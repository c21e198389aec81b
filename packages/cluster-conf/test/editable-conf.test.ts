import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfElement, EditableConf, parseXml } from '../src/index.js';

const myCluster = readFileSync(new URL('./data/my-cluster.conf', import.meta.url), 'utf8');

const TEXT = `<?xml version="1.0"?>
<!-- made by hand -->
<cluster  name='a>b' config_version="1">
    <cman expected_votes="1" two_node = '1'/> <!-- two -->

    <clusternodes>
        <clusternode name="n1" nodeid="1"/>
        <!-- the last -->
    </clusternodes>
    <fencedevices></fencedevices>
    <rm/>
</cluster>
`;

/** What differs: lines that are gone behind `-`, new ones behind `+`. */
function changes(from: string, to: string): readonly string[] {
  const [old, now] = [from.split('\n'), to.split('\n')];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
  ];
}

function edited(edit: (conf: EditableConf) => EditableConf, text = TEXT): readonly string[] {
  const { text: now } = edit(new EditableConf(text));
  return changes(text, now);
}

const attributes = (given: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(given));

describe('a cluster.conf that is edited keeps what is not touched', () => {
  it.each<[string, (conf: EditableConf) => EditableConf, readonly string[]]>([
    [
      'an attribute',
      (conf) => conf.withAttribute(conf.root, 'config_version', '2'),
      [`-<cluster  name='a>b' config_version="1">`, `+<cluster  name='a>b' config_version="2">`],
    ],
    [
      'a new attribute of an empty element, which is quoted',
      (conf) => conf.withAttribute(conf.find('rm')!, 'x', 'a&"<'),
      ['-    <rm/>', '+    <rm x="a&amp;&quot;&lt;"/>'],
    ],
    [
      'an attribute in other quotes is taken away',
      (conf) => conf.withAttribute(conf.find('cman')!, 'two_node', undefined),
      [`-    <cman expected_votes="1" two_node = '1'/> <!-- two -->`, '+    <cman expected_votes="1"/> <!-- two -->'],
    ],
    ['one that is not there', (conf) => conf.withAttribute(conf.root, 'none', undefined), []],
    [
      'all but what is kept',
      (conf) => conf.withAttributes(conf.find('cman')!, attributes({ port: '5405' }), ['two_node']),
      [
        `-    <cman expected_votes="1" two_node = '1'/> <!-- two -->`,
        `+    <cman two_node = '1' port="5405"/> <!-- two -->`,
      ],
    ],
    [
      'a child comes last, behind comments',
      (conf) =>
        conf.withChild(conf.find('clusternodes')!, { name: 'clusternode', attributes: attributes({ name: 'n2' }) }),
      ['+        <clusternode name="n2"/>'],
    ],
    [
      'the first child of an empty element',
      (conf) => conf.withChild(conf.find('rm')!, { name: 'resources' }),
      ['-    <rm/>', '+    <rm>', '+        <resources/>', '+    </rm>'],
    ],
    [
      'the first child between tags',
      (conf) => conf.withChild(conf.find('fencedevices')!, { name: 'x', children: [{ name: 'y' }] }),
      [
        '-    <fencedevices></fencedevices>',
        '+    <fencedevices>',
        '+        <x>',
        '+            <y/>',
        '+        </x>',
        '+    </fencedevices>',
      ],
    ],
    [
      'sections that are missing',
      (conf) => conf.withSection('cman').withSection('rm', 'resources'),
      ['-    <rm/>', '+    <rm>', '+        <resources/>', '+    </rm>'],
    ],
    [
      'an element and its line',
      (conf) => conf.without(conf.find('clusternodes', 'clusternode')!),
      ['-        <clusternode name="n1" nodeid="1"/>'],
    ],
    [
      'an element of a line that has more',
      (conf) => conf.without(conf.find('cman')!),
      [`-    <cman expected_votes="1" two_node = '1'/> <!-- two -->`, '+     <!-- two -->'],
    ],
  ])('%s', (_what, edit, expected) => {
    expect(edited(edit)).toEqual(expected);
  });

  it('a document of one line stays one', () => {
    const conf = new EditableConf('<cluster><clusternodes/></cluster>');
    const once = conf.withChild(conf.find('clusternodes')!, { name: 'clusternode' }).withSection('rm', 'resources');
    expect(once.text).toBe('<cluster><clusternodes><clusternode/></clusternodes><rm><resources/></rm></cluster>');
    const twice = once.withChild(once.find('clusternodes')!, { name: 'clusternode', children: [{ name: 'fence' }] });
    expect(twice.text).toContain('<clusternode/><clusternode><fence/></clusternode></clusternodes>');
  });

  it('what looks like an attribute inside of another one is none', () => {
    const conf = new EditableConf(`<cluster note=' x="1"' x="2"/>`);
    expect(conf.withAttribute(conf.root, 'x', '3').text).toBe(`<cluster note=' x="1"' x="3"/>`);
  });

  it('knows only elements of its own', () => {
    const other = new EditableConf(TEXT);
    expect(() => new EditableConf(TEXT).without(other.root.children[0]!)).toThrow(RangeError);
    expect(() => new EditableConf(TEXT).withAttributes(other.root.children[0]!, new Map())).toThrow(RangeError);
  });
});

/** Names and attributes, without places. */
function shape({ name, attributes, children }: ConfElement): unknown {
  return [name, [...attributes], children.map(shape)];
}

it('what is put in and taken out again leaves the text of the walk-through as it was', () => {
  const all = (at: ConfElement): readonly ConfElement[] => [at, ...at.children.flatMap(all)];
  const count = all(new EditableConf(myCluster).root).length;
  const value = fc.string({ unit: fc.constantFrom(...'ab =/&<>"', "'", '\t', '\n', 'é') });
  fc.assert(
    fc.property(fc.nat(count - 1), value, (which, text) => {
      const conf = new EditableConf(myCluster);
      const parent = all(conf.root)[which]!;
      const more = conf.withChild(parent, { name: 'new', attributes: new Map([['value', text]]) });
      const child = all(more.root).find(({ name }) => name === 'new')!;
      expect(child.attributes.get('value')).toBe(text);
      expect(shape(more.without(child).root)).toEqual(shape(parseXml(myCluster, '').root));
    }),
    { numRuns: 25 },
  );
});
