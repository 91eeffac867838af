import { fetchCapabilities } from '@millrace/client';
import { Command, InvalidArgumentError } from 'commander';
import { oneLine } from '../engine/as-error.js';
import { failureOf, reportLoad, renderLoad, type LoadReport } from './bench-load/load-report.js';
import { startOwnServer } from './bench-load/own-server.js';
import { readPictures } from './bench-load/pictures.js';
import { runLoad } from './bench-load/run-load.js';
import { interruptible } from './interruptible.js';

interface LoadCommandOptions {
  readonly source: string;
  readonly url?: string;
  readonly token?: string;
  readonly prompt?: string;
  readonly sessions: number;
  readonly fps: number;
  readonly seconds: number;
  readonly processes: number;
  readonly json?: true;
}

const epilogue = `
Sessions are real clients: each sends the frames of the source as a camera
does and displays each result at once. The first two seconds do not count.
Without --url, a server is started with the settings of the environment
(MILLRACE_...).

Exit codes: 0 done, 1 failed or no session was served, 130 interrupted.`;

/** `millrace bench`: measures a server under load. */
export function createBenchCommand(): Command {
  const load = new Command('load')
    .description('put many sessions on a server and report the results of each')
    .requiredOption('--source <path>', 'what the cameras show: a video, a folder of images or one image')
    .option('--url <url>', 'of a running server (default: one is started)')
    .option('--token <token>', 'API key or JSON Web Token to send')
    .option('--prompt <text>', "what the output should look like (default: the model's own)")
    .option('--sessions <n>', 'sessions at the same time', numberFrom(1, 10_000, true), 4)
    .option('--fps <rate>', 'frames a second of each session', numberFrom(0.1, 240), 10)
    .option('--seconds <time>', 'length of the measurement in seconds', numberFrom(1, 86_400), 10)
    .option('--processes <n>', 'processes that the clients are spread over', numberFrom(1, 256, true), 2)
    .option('--json', 'print the figures as JSON')
    .addHelpText('after', epilogue)
    .action((options: LoadCommandOptions) =>
      interruptible(
        async (signal) => {
          const report = await benchLoad(options, signal);
          process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : renderLoad(report));
          const failure = failureOf(report);
          if (failure !== null) throw new Error(failure);
        },
        { explain: oneLine },
      ),
    );
  return new Command('bench').description('measure a server under load').addCommand(load);
}

async function benchLoad(options: LoadCommandOptions, signal: AbortSignal): Promise<LoadReport> {
  const { source, token, prompt, sessions, fps, seconds, processes } = options;
  await using own = options.url === undefined ? await startOwnServer(sessions + 1, signal) : null;
  const url = options.url ?? own?.url ?? '';
  const { width, height } = (await fetchCapabilities(url, { signal })).parameters.properties;
  const size = { width: Number(width.default), height: Number(height.default) };
  const pictures = await readPictures(source, size, signal);
  const parameters = prompt === undefined ? {} : { prompt };
  const behaviour = { url, token, parameters, fps, pictures };
  const results = await runLoad({ ...behaviour, sessions, seconds, processes, signal });
  return reportLoad({ url, sessions, fps, seconds, ...size }, results);
}

function numberFrom(least: number, most: number, whole = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const fits = text.trim() !== '' && value >= least && value <= most;
    if (fits && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(
      `It must be ${whole ? 'an integer' : 'a number'} from ${least} to ${most}.`,
    );
  };
}
