import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '@millrace/client';
import { WebSocket } from 'ws';
import { embeddedModel, tinyModel } from '../support/engine.js';
import { playClip, servedPage } from '../support/served-page.js';
import { startServer } from '../support/server.js';

describe('what the embedded model made of a prompt', () => {
  const served = servedPage({ model: embeddedModel });

  it('comes with ready and each update: the right style, the right mood, and words without effect', async () => {
    await using stream = await connect(served.url, {
      webSocket: WebSocket,
      parameters: { prompt: 'van gogh painting of a spaceship' },
    });
    const [first] = stream.understood ?? [];
    assert.deepEqual(Object.keys(first?.styles ?? {})[0], 'van gogh painting');
    assert.equal(first?.ignored, 'spaceship');
    const { understood } = await stream.update({
      prompt: [
        { text: 'pensil sketch', weight: 1 },
        { text: 'warm colors', weight: 1 },
      ],
    });
    const [pencil, warm] = understood ?? [];
    assert.deepEqual(Object.keys(pencil?.styles ?? {})[0], 'pencil sketch', 'misspelt');
    assert.ok((pencil?.styles?.['pencil sketch'] ?? 0) > 0.5);
    assert.deepEqual([Object.keys(warm?.styles ?? {}), Object.keys(warm?.moods ?? {}).length], [[], 1]);
    assert.deepEqual(stream.understood, understood);
  });

  it('stands under the prompt of the page', async () => {
    const page = await served.browser.newPage();
    await playClip(page, served.url);
    const line = page.getByTestId('understood');
    await line.getByText(/vaporwave.* \d+%/).waitFor();
    await page.getByTestId('prompt').fill('a cathedral');
    await line.getByText(/^nearest in meaning: \w.* \d+%/).waitFor();
    await page.getByTestId('prompt').fill('xqzt gfff');
    await line.getByText('names no style or mood of this model; without effect: xqzt, gfff').waitFor();
    await page.close();
  });
});

describe('what a model without names made of a prompt', () => {
  it('is how many of its tokens it reads, and its weights', async () => {
    await using server = await startServer({ model: tinyModel });
    await server.app.ready();
    await using stream = await connect(server.url, {
      webSocket: WebSocket,
      parameters: { prompt: 'a (cat:1.5)' },
    });
    const [prompt] = stream.understood ?? [];
    assert.deepEqual(prompt?.weights, { cat: 1.5 });
    assert.equal(prompt?.styles, undefined);
    assert.ok((prompt?.tokens ?? 0) >= 2);
    const long = await stream.update({ prompt: 'cat '.repeat(400) });
    assert.ok((long.understood?.[0]?.truncated ?? 0) > 0);
  });
});
