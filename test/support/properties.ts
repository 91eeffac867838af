import fc from 'fast-check';

// Imported into every test process: property tests see the same cases in each run, so that only changes affect the
// outcome. MILLRACE_TEST_SEED selects other cases, and MILLRACE_TEST_CASES=10 tries ten times as many.

const factor = Number(process.env['MILLRACE_TEST_CASES'] ?? 1);

/** Returns how many cases a test tries if it usually tries so many. */
export function cases(usual: number): number {
  return Math.ceil(usual * factor);
}

fc.configureGlobal({ seed: Number(process.env['MILLRACE_TEST_SEED'] ?? 1), numRuns: cases(100) });
