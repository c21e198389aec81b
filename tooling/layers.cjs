// The floors of docs/ARCHITECTURE.md as an allow-list: which package may import which. Arrows point down only.
/** What a cluster node is made of, by floor. */
const floor1 = ['cluster-conf', 'iscsi', 'network', 'scsi', 'volumes'];
const floor2 = ['totem', 'quorum', 'qdisk', 'fencing', 'dlm', 'gfs2', 'rgmanager'];
const allowed = {
  kernel: [],
  'cluster-conf': [],
  network: [],
  scsi: [],
  iscsi: ['scsi'],
  vhdx: ['scsi'],
  volumes: ['scsi'],
  totem: [],
  quorum: [],
  qdisk: [],
  fencing: ['scsi'],
  dlm: [],
  gfs2: [],
  rgmanager: [],
  node: [...floor1, ...floor2],
  trace: ['network'],
  shell: ['cluster-conf', 'scsi', 'quorum', 'qdisk', 'fencing', 'dlm', 'gfs2', 'rgmanager', 'node'],
  lab: [...floor1, ...floor2, 'node'],
};
const upper = {
  simulator: [...Object.keys(allowed)],
  workers: [...Object.keys(allowed)],
};

const rules = Object.entries({ ...allowed, ...upper }).map(([name, below]) => ({
  name: `floor-of-${name}`,
  comment: `${name} may import ${['kernel', ...below].join(', ')} and itself`,
  severity: 'error',
  from: { path: `^packages/${name}/src` },
  to: { path: '^packages/', pathNot: `^packages/(${['kernel', name, ...below].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'no-cycles',
      comment: 'files that only name the types of each other are no cycle when they run',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'packages-know-no-app',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'core-is-ecmascript-only',
      comment: 'Node and browser code sits behind a subpath, or in workers',
      severity: 'error',
      from: { path: '^packages/[^/]+/src', pathNot: '^packages/(workers/|[^/]+/src/(node|browser)/)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'comlink-in-workers-only',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/workers/' },
      to: { path: 'node_modules/.*comlink' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|/test/|/bench/|tsup\\.config\\.ts$)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.edge.json' },
    enhancedResolveOptions: {
      conditionNames: ['@quorate/source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
