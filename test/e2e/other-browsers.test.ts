import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Firefox } from '../support/firefox.js';
import { findProgram, type ScriptedBrowser } from '../support/scripted-browser.js';
import { startServer } from '../support/server.js';
import { WebKit } from '../support/webkit.js';

const firefox = findProgram('FIREFOX', 'firefox-esr', 'firefox');
const webKit = findProgram('WEBKIT_DRIVER', 'WebKitWebDriver');
const display = process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'];

const flows = "document.querySelector('[data-flowing=true]')";
const figure = (testId: string): string =>
  `document.querySelector('[data-testid=${testId}]').textContent.trim()`;

/** An expression: the number of different pictures that have been on the output's canvas, when there are `count`. */
const watchOutput = (count: number): string => `
  new Promise((resolve) => {
    const canvas = document.querySelector('[data-testid=output]');
    const context = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true });
    const seen = new Set();
    const look = () => {
      context.drawImage(canvas, 0, 0, 8, 8);
      seen.add(context.getImageData(0, 0, 8, 8).data.join());
      if (seen.size < ${count}) requestAnimationFrame(look);
      else resolve(seen.size);
    };
    look();
  })`;

/** Plays the clip and, if there is one, the camera. */
async function assertStreams(browser: ScriptedBrowser, hasCamera: boolean): Promise<void> {
  await using server = await startServer();
  await server.app.ready();
  await browser.open(server.url);
  // A click is of no use before.
  await browser.until("document.querySelector('[data-testid=parameter-steps]')");
  await browser.click('play-clip');
  await browser.until(flows);
  assert.equal(await browser.evaluate(watchOutput(5)), 5);
  assert.equal(await browser.evaluate(figure('status')), 'Live');
  await browser.until(`Number(${figure('fps')}) > 0`);
  await browser.click('stop');
  await browser.until(`!${flows}`);
  if (hasCamera) {
    await browser.click('use-camera');
    await browser.until(flows);
    assert.equal(await browser.evaluate(watchOutput(5)), 5);
  }
  assert.deepEqual(await browser.problems(), []);
}

test(
  'in Firefox the clip and the camera stream, and their pictures are shown',
  { skip: firefox === undefined && 'there is no Firefox: install it, or set FIREFOX' },
  async () => {
    await using browser = await Firefox.launch(firefox ?? '');
    await assertStreams(browser, true);
  },
);

test(
  'in WebKitGTK the clip streams, and its pictures are shown',
  {
    skip:
      (webKit === undefined && 'there is no WebKitWebDriver: install it, or set WEBKIT_DRIVER') ||
      (display === undefined && 'WebKitGTK needs a display: use xvfb-run'),
  },
  async () => {
    await using browser = await WebKit.launch(webKit ?? '');
    await assertStreams(browser, false);
  },
);
