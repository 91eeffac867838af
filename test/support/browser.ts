import { after } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { launchBrowser } from './launch-browser.js';

/** A part of the browser of this process: pages and contexts that are closed together. */
export type TestBrowser = Pick<Browser, 'newContext' | 'newPage' | 'close'> & AsyncDisposable;

let launched: Promise<Browser> | undefined;
after(async () => (await launched)?.close());

/** Opens a part of the browser, which is started once for all tests of this process. */
export async function openBrowser(): Promise<TestBrowser> {
  if (!(await launched)?.isConnected()) launched = launchBrowser();
  const browser = await launched;
  if (browser === undefined) throw new Error('unreachable: it was launched');
  const contexts: BrowserContext[] = [];
  const newContext = async (options?: BrowserContextOptions): Promise<BrowserContext> => {
    const context = await browser.newContext(options);
    contexts.push(context);
    return context;
  };
  const close = async (): Promise<void> => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  };
  return {
    newContext,
    async newPage(options) {
      const context = await newContext(options);
      const page = await context.newPage();
      // It is closed already if the browser closes.
      page.once('close', () => void context.close().catch(() => {}));
      return page;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
