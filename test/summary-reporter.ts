import type { Reporter, TestModule } from 'vitest/node';

/**
 * Prints the GPUs that the tests ran on, and as the last line `N passed, N failed`, which scripts can parse.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const gpus = new Set<string>();
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state]++;
        const { ranOn } = test.meta();
        if (ranOn) gpus.add(`${ranOn.device} on ${ranOn.adapter}${ranOn.software ? ' (software)' : ''}`);
      }
      if (module.errors().length > 0) count.failed++; // a test file that fails to load
    }
    const failed = count.failed + unhandledErrors.length;
    const skipped = count.skipped + count.pending;
    console.log(`\nGPU devices tested: ${[...gpus].join('; ') || 'none'}`);
    console.log(`\n${count.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}
