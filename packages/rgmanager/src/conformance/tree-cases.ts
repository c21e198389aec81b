import { type ConfElement, descend } from '../conf/conf-element.js';
import { RgTest, type RgTestOperation } from '../tools/rg-test.js';
import { caseNames, type RecordedCase, type RecordedFiles, recordedRules, textDifferences } from './recorded-files.js';

// What `rg_test` prints: rules, listings, walks over a tree, and the way from one configuration to another.

/** For every service or vm of the file, in its order. */
function operateAll(rgTest: RgTest, cluster: ConfElement, operation: RgTestOperation): string {
  const written = descend(cluster, 'rm')?.children.filter(({ name }) => name === 'service' || name === 'vm') ?? [];
  return written
    .map(({ name: type, attributes }) => {
      const primary = attributes.get('name') ?? attributes.get('ref') ?? '';
      return rgTest.operate(cluster, operation, type, primary).text;
    })
    .join('');
}

export function treeCases(files: RecordedFiles): readonly RecordedCase[] {
  const rgTest = new RgTest(recordedRules(files));
  const conf = (name: string): ConfElement => files.element(`tree/${name}.conf`);
  const printed = (path: string, print: () => string): RecordedCase => ({
    name: path.replace(/\.expected$/, ''),
    differences: () => textDifferences(print(), files.text(path)),
  });
  const rules = files.names('agents').includes('rules.expected')
    ? [printed('agents/rules.expected', () => rgTest.rules())]
    : [];
  const listings = caseNames(files, 'tree', '.list.expected').map((name) =>
    printed(`tree/${name}.list.expected`, () => rgTest.list(conf(name))),
  );
  const walks = (['start', 'stop', 'status'] as const).flatMap((operation) =>
    caseNames(files, 'tree', `.${operation}.expected`).map((name) =>
      printed(`tree/${name}.${operation}.expected`, () => operateAll(rgTest, conf(name), operation)),
    ),
  );
  const deltas = caseNames(files, 'delta', '.delta.expected').map((name) => {
    const [before = '', after = ''] = name.split('--');
    return printed(`delta/${name}.delta.expected`, () => rgTest.delta(conf(before), conf(after)));
  });
  return [...rules, ...listings, ...walks, ...deltas];
}
