import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** One of these, started last, would run alone while the other processor has nothing to do. */
const LONGEST = [
  'apps/cli/test/real-ring.test.ts',
  'tooling/wasm/test/simulator.test.ts',
  'packages/iscsi/test/conformance.test.ts',
  'apps/lab/test/lab-page.test.ts',
];

/** Begins each project with its longest files: the first run of a clone knows no times yet. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return index === -1 ? LONGEST.length : index;
    };
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).sort((a, b) => rank(a) - rank(b)),
    );
  }
}
