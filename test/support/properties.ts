import fc from 'fast-check';

// Imported into every test process: property tests see the same cases at each run, so that a change and not
// chance decides. MILLRACE_TEST_SEED looks at others.
fc.configureGlobal({ seed: Number(process.env['MILLRACE_TEST_SEED'] ?? 1) });
