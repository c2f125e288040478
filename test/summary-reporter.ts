import type { Reporter, TestModule } from 'vitest/node';

/**
 * Says which GPUs tests ran on, as the tests found them, and ends the run with the plain line `N passed, N failed`,
 * which scripts can read.
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
      if (module.errors().length > 0) count.failed++; // a file that did not load is a failure too
    }
    const failed = count.failed + unhandledErrors.length;
    const skipped = count.skipped + count.pending;
    console.log(`\nGPU devices tested: ${[...gpus].join('; ') || 'none'}`);
    console.log(`\n${count.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}
