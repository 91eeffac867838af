import fc from 'fast-check';

// Imported into every test process: property tests see the same cases in each run, so that only changes affect the
// outcome. MILLRACE_TEST_SEED selects other cases.
fc.configureGlobal({ seed: Number(process.env['MILLRACE_TEST_SEED'] ?? 1) });
