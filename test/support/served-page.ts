import { after, before } from 'node:test';
import type { Page } from 'playwright-core';
import type { Settings } from '../../src/settings/settings.js';
import { openBrowser, type TestBrowser } from './browser.js';
import { startServer, type TestServer } from './server.js';

/** A server that is ready, and a browser to open its pages in. */
export interface ServedPage {
  readonly server: TestServer;
  readonly browser: TestBrowser;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/**
 * Starts a server and a browser before the tests of this file or suite, and stops them after these.
 * @param prepare runs before the tests, when both are there. A hook of the file could run earlier.
 */
export function servedPage(
  settings: Partial<Settings> = {},
  prepare?: (served: ServedPage) => Promise<void>,
): ServedPage {
  let server: TestServer;
  let browser: TestBrowser;
  before(async () => {
    server = await startServer(settings);
    await server.app.ready();
    browser = await openBrowser();
    await prepare?.(served);
  });
  after(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });
  const served: ServedPage = {
    get server() {
      return server;
    },
    get browser() {
      return browser;
    },
    get url() {
      return server.url;
    },
  };
  return served;
}

/** Opens the page of a server, and waits until clicks have an effect: until it knows the parameters. */
export async function openPage(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByTestId('parameter-steps').waitFor({ state: 'attached' });
}

/** Opens the page of a server and plays the clip, until generated pictures flow. */
export async function playClip(page: Page, url: string): Promise<void> {
  await openPage(page, url);
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
}

/** Adds the errors and warnings in the console of a page to `problems`, also later ones. @returns the same list. */
export function watchProblems(page: Page, problems: string[] = []): readonly string[] {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  return problems;
}
