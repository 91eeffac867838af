import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { motionJpegFrames } from '../support/frames.js';
import { playClip, servedPage } from '../support/served-page.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
/** So little work that there is enough time for two also on a slow machine. */
const light = { width: 64, height: 64 };
/** More work than the sessions were admitted for. */
const heavy = { width: 512, height: 512, steps: 10 };

/** Returns what an address has for these parameters. */
function fragment(parameters: Readonly<Record<string, number>>): string {
  const texts = Object.entries(parameters).map(([name, value]) => [name, String(value)]);
  return `#${new URLSearchParams(texts).toString()}`;
}

const served = servedPage({ sloFps: 10, maxSessions: 8, maxCallSeconds: 0 });

it('the page says how many share the server, and to how many frames it is limited', async () => {
  await using other = await StreamClient.open(served.server.streamUrl, light);
  const page = await served.browser.newPage();
  await playClip(page, `${served.url}/${fragment(light)}`);
  await page.getByTestId('users').getByText('2').waitFor();
  // Until the server has measured some frames, it may expect them to take longer.
  await eventually(async () => {
    assert.equal(await page.getByText(/fps of at most/).count(), 0);
  });

  await page.evaluate((hash) => (location.hash = hash), fragment(heavy));
  other.send({ type: 'update', request: 0, parameters: heavy });
  await other.first('updated');
  const stop = new AbortController();
  const feed = async (): Promise<void> => {
    for (let id = 0; !stop.signal.aborted; id++) {
      await other.sendFrame(id, picture);
      await sleep(20);
    }
  };
  const feeding = feed();
  await page.getByText(/fps of at most \d\.\d/).waitFor();
  stop.abort();
  await feeding;
  await page.close();
});
