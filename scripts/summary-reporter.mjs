/**
 * A vitest reporter that counts: writes {passed, failed, skipped} to the file KEEL_TEST_SUMMARY at the end of the run.
 * A file that cannot be loaded and an error outside of any test count as failed, which vitest's own "Tests" line
 * leaves out.
 */
import { writeFileSync } from 'node:fs';

export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // What did not get to run because the run was cut short has passed no more than what was skipped.
        count[state === 'pending' ? 'skipped' : state]++;
      }
    }
    writeFileSync(process.env.KEEL_TEST_SUMMARY, JSON.stringify(count));
  }
}
