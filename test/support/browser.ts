import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { repositoryRoot } from './reference.js';

const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts a Chromium without a window whose camera shows a real video; once more if it crashes at its start, as it may. */
export async function launchBrowser(): Promise<Browser> {
  const options = {
    ...(await findBrowser()),
    args: [
      ...quiet,
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-video-capture=${join(repositoryRoot, 'test/fixtures/videos/walkers.mjpeg')}`,
    ],
  };
  return chromium.launch(options).catch(() => chromium.launch(options));
}

interface Found {
  readonly executablePath: string;
  readonly env?: Record<string, string>;
}

let unpacked: Promise<Found> | undefined;

/** The browser that CHROMIUM names, one that is installed, or the one that comes as a package. */
async function findBrowser(): Promise<Found> {
  const named = process.env['CHROMIUM'];
  if (named !== undefined) return { executablePath: named };
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  if (installed !== undefined) return { executablePath: installed };
  // It sets its environment up once for a process, when it is first imported.
  unpacked ??= unpackBrowser();
  return unpacked;
}

/**
 * The package brings the shared libraries that a bare system lacks (NSS, NSPR), but unpacks and uses them only
 * where it takes itself to be in AWS Lambda. They are for the browser alone, not for other programs of the tests.
 */
async function unpackBrowser(): Promise<Found> {
  const { LD_LIBRARY_PATH: before } = process.env;
  process.env['AWS_LAMBDA_JS_RUNTIME'] = 'nodejs20.x';
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    const executablePath = await packed.executablePath();
    return { executablePath, env: { ...process.env } as Record<string, string> };
  } finally {
    delete process.env['AWS_LAMBDA_JS_RUNTIME'];
    if (before === undefined) delete process.env['LD_LIBRARY_PATH'];
    else process.env['LD_LIBRARY_PATH'] = before;
  }
}
