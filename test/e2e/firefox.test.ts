import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Firefox, findFirefox } from '../support/firefox.js';
import { startServer } from '../support/server.js';

const program = findFirefox();
const skip = program === undefined && 'there is no Firefox: install it, or set FIREFOX';

/** Returns the different pictures that are on the output's canvas until there are `count`: a few pixels of each. */
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

test('in Firefox the clip and the camera stream, and their pictures are shown', { skip }, async () => {
  assert.ok(program !== undefined);
  await using server = await startServer();
  await server.app.ready();
  await using firefox = await Firefox.launch(program);
  await firefox.open(server.url);
  const flows = "document.querySelector('[data-flowing=true]')";
  await firefox.click('play-clip');
  await firefox.until(flows);
  await firefox.evaluate(watchOutput(10));
  assert.equal(
    await firefox.evaluate("document.querySelector('[data-testid=status]').textContent.trim()"),
    'Live',
  );
  await firefox.until("Number(document.querySelector('[data-testid=fps]').textContent) > 0");
  await firefox.click('stop');
  await firefox.until(`!${flows}`);
  await firefox.click('use-camera');
  await firefox.until(flows);
  await firefox.evaluate(watchOutput(5));
  assert.deepEqual(firefox.problems, []);
});
