import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

type Outcome = 'passed' | 'failed' | 'timed out';

export interface Run {
  readonly outcome: Outcome;
  /** Milliseconds until the last test ended; what it started may have run longer. */
  readonly ms: number;
}

const result = /^(?:not )?ok /m;
/** Matches a failed test in the output of the TAP reporter, unless it is marked as expected to fail. */
const failure = /^\s*not ok (?!.*# (?:TODO|SKIP))/m;

/**
 * Runs the tests of one built file up to the first that fails.
 * @param limit milliseconds.
 * @param env further environment variables.
 */
export function runTests(
  root: string,
  file: string,
  limit: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const properties = pathToFileURL(join(root, 'dist/test/support/properties.js')).href;
  const args = ['--import', properties, '--test-reporter=tap', join(root, file)];
  // A test may leave timers behind that need no wait.
  if (env['NODE_V8_COVERAGE'] === undefined) args.unshift('--test-force-exit');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      // It must not count as a part of a test run that this process may belong to.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
      // A separate process group, so that what a test has started ends with it.
      detached: true,
    });
    const begin = performance.now();
    let ms = 0;
    let outcome: Outcome = 'passed';
    const end = (how: Outcome): void => {
      if (outcome === 'passed') outcome = how;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => end('timed out'), limit);
    const leave = (): void => killGroup(child.pid);
    // Before the sandbox is removed, because the test may still write there.
    process.prependOnceListener('exit', leave);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = output.slice(output.lastIndexOf('\n') + 1) + text;
      if (result.test(output)) ms = performance.now() - begin;
      if (failure.test(output)) end('failed');
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      process.off('exit', leave);
      if (outcome === 'passed' && code !== 0) outcome = 'failed';
      killGroup(child.pid);
      resolve({ outcome, ms });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has already ended.
  }
}
