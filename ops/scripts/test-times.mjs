// The processor time of test files, for `npm test -- --times`. Imported first into each test process, it adds lines to
// the file that MILLRACE_TEST_TIMES names: one for each test file.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const path = process.env.MILLRACE_TEST_TIMES;
const started = process.argv[1] ?? '';
/** The file that has the time until the process ends: the only one, or the last one of a group. */
let last = relative('.', started);
/** Seconds that files have already. */
let noted = 0;

if (path && isMainThread && started.endsWith('.test.js')) process.on('exit', () => note(last));

/**
 * Takes note that a file of a group has ended: what was not counted yet is its own. What loads modules for several files
 * counts for the first one.
 */
export function fileEnded(file) {
  last = file;
  if (path) note(file);
}

function note(file) {
  const seconds = processorSeconds() - noted;
  noted += seconds;
  appendFileSync(path, `${seconds.toFixed(2)} ${file}\n`);
}

/** Returns the processor time of this process and, on Linux, of the programs that it has started and that have ended. */
function processorSeconds() {
  try {
    // Fields 14 to 17 of proc_pid_stat(5), after the name in brackets, in hundredths of a second.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
}

/** Returns the seconds of each folder and of the slowest files, as lines; none if no test process has ended. */
export function timesTable(timesFile) {
  if (!existsSync(timesFile)) return [];
  const folders = new Map();
  const files = new Map();
  const add = (sums, name, seconds) => sums.set(name, (sums.get(name) ?? 0) + seconds);
  let total = 0;
  for (const line of readFileSync(timesFile, 'utf8').trim().split('\n')) {
    const [seconds, name] = [Number(line.split(' ', 1)[0]), line.slice(line.indexOf(' ') + 1)];
    add(folders, dirname(name).split('/').slice(0, 3).join('/'), seconds);
    add(files, name, seconds);
    total += seconds;
  }
  const rows = (entries) =>
    [...entries]
      .sort((a, b) => b[1] - a[1])
      .map(([name, seconds]) => `${seconds.toFixed(1).padStart(8)}  ${name}`);
  return [
    'Seconds of processor time:',
    ...rows([['all', total], ...folders]),
    'Slowest files:',
    ...rows(files).slice(0, 40),
  ];
}
