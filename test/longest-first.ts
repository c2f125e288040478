import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest in a run of all tests, in their order: those that keep a software GPU busy come when the
 * project `browser`, which does the same, has ended.
 */
const longest: readonly string[] = [
  'examples/explorer/tests/page.test.ts',
  'examples/experiments/tests/lab/command.test.ts',
  'examples/experiments/tests/cifar10.test.ts',
  'test/docs/adding-an-op.test.ts',
  'test/laws/training.test.ts',
  'test/laws/kernels.test.ts',
  'test/laws/overlap.test.ts',
  'examples/experiments/tests/mnist.test.ts',
  'examples/experiments/tests/report-in-chromium.test.ts',
  'test/tensor/device/gpu/webgpu-node.test.ts',
  'test/package/in-chromium.test.ts',
  'test/package/threads.test.ts',
];

/**
 * The order of the test files: first the longest, so that at the end no long one runs alone; then project by project,
 * because a process runs files of one project only; within a project, the largest first, as Vitest does.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    const projects = [...new Set(bySize.map(({ project }) => project.name))].sort().reverse();
    const place = ({ moduleId, project }: TestSpecification) => {
      const at = longest.indexOf(relative(project.config.root, moduleId).replaceAll('\\', '/'));
      return at < 0 ? longest.length + projects.indexOf(project.name) : at;
    };
    return bySize.toSorted((a, b) => place(a) - place(b));
  }
}
