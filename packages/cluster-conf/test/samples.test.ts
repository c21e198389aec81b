import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { validateClusterConf } from '../src/index.js';

/**
 * Twelve public configurations, eleven of them of other projects and therefore not part of this repository: they are
 * looked for in a directory `shared` beside the checkout.
 */
const samples = new URL('../../../../shared/vectors/cluster-conf/', import.meta.url);

const VERDICTS: readonly (readonly [file: string, errors: readonly string[], warnings: readonly string[]])[] = [
  ['00-my-cluster', [], []],
  ['01-clufter-filled', [], ['7 /cluster/cman/@expected_votes']],
  ['02-clufter-nfs-ordered', [], []],
  ['03-clufter-vm-unordered', [], []],
  ['04-clufter-fence-xvm-dup-nodeid', ['11 /cluster/clusternodes/clusternode[2]/@nodeid'], []],
  [
    '05-rgmanager-example',
    ['8 /cluster/clusternodes/clusternode[1]/@nodeid', '15 /cluster/clusternodes/clusternode[2]/@nodeid'],
    [
      '31 /cluster/rm/failoverdomains/failoverdomain[1]/failoverdomainnode[3]/@name',
      '34 /cluster/rm/failoverdomains/failoverdomain[2]/failoverdomainnode/@name',
      '47 /cluster/rm/service[1]/@ref',
    ],
  ],
  ['06-rgmanager-test017-tree', ['2 /cluster/@name', '2 /cluster/@config_version', '2 /cluster/clusternodes'], []],
  ['07-rgmanager-test018-clusterfs', ['2 /cluster/@name', '2 /cluster/@config_version', '2 /cluster/clusternodes'], []],
  ['08-rgmanager-dependencies', ['2 /cluster/@name', '2 /cluster/@config_version', '10 /cluster/rm/dependencies'], []],
  ['09-qpid-ha-three-node', [], []],
  ['10-cluster-usage-minimal', [], []],
  [
    '11-cluster-min-gfs-gnbd',
    ['6 /cluster/clusternodes/clusternode[1]/@nodeid', '13 /cluster/clusternodes/clusternode[2]/@nodeid'],
    [],
  ],
];

it.skipIf(!existsSync(samples))(
  'each file of the sample set has a verdict (skipped where the set is not beside the checkout)',
  () => {
    expect(readdirSync(samples).filter((file) => file.endsWith('.conf'))).toHaveLength(VERDICTS.length);
  },
);

it.skipIf(!existsSync(samples)).each(VERDICTS)('%s', (file, errors, warnings) => {
  const verdict = validateClusterConf(readFileSync(new URL(`${file}.conf`, samples), 'utf8'));
  expect(verdict.errors.map(({ place, path }) => `${place?.line} ${path}`)).toEqual(errors);
  expect(verdict.warnings.map(({ place, path }) => `${place.line} ${path}`)).toEqual(warnings);
});
