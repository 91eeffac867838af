// The processor time of test files, for `npm test -- --times`. Imported first into each test process, it adds a line to
// the file that MILLRACE_TEST_TIMES names when the process ends.
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const path = process.env.MILLRACE_TEST_TIMES;
const file = process.argv[1] ?? '';
if (path && isMainThread && file.endsWith('.test.js')) {
  process.on('exit', () => appendFileSync(path, `${processorSeconds().toFixed(2)} ${relative('.', file)}\n`));
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

/** Returns the seconds of each folder and of the slowest files, as lines. @param lines of that file. */
export function timesTable(lines) {
  const folders = new Map();
  const files = [];
  let total = 0;
  for (const line of lines) {
    const [seconds, name] = [Number(line.split(' ', 1)[0]), line.slice(line.indexOf(' ') + 1)];
    const folder = dirname(name).split('/').slice(0, 3).join('/');
    folders.set(folder, (folders.get(folder) ?? 0) + seconds);
    files.push([name, seconds]);
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
