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

/** Starts a headless Chromium whose camera shows a real video; tries once more if it crashes at the start. */
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

/** Finds the browser that CHROMIUM names, an installed one, or the one from the package. */
async function findBrowser(): Promise<Found> {
  const named = process.env['CHROMIUM'];
  if (named !== undefined) return { executablePath: named };
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  if (installed !== undefined) return { executablePath: installed };
  // It sets up its environment once per process, at the first import.
  unpacked ??= unpackBrowser();
  return unpacked;
}

/**
 * Unpacks the browser of the package. It includes the shared libraries that a bare system lacks (NSS, NSPR), but uses
 * them only if it believes to run in AWS Lambda. They are only for the browser, not for other programs of the tests.
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
