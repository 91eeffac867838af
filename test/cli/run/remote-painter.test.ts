import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { generate } from '../../../src/cli/run/generate.js';
import type { InputFrame } from '../../../src/cli/run/input.js';
import type { Painter } from '../../../src/cli/run/painter.js';
import { openRemotePainter } from '../../../src/cli/run/remote-painter.js';
import { Timeline } from '../../../src/cli/run/timeline.js';
import { meanColour } from '../../image/pictures.js';
import { startServer } from '../../support/server.js';

const server = await startServer({ credits: 2, unacknowledgedResults: 2 });
await server.app.ready();
after(() => server[Symbol.asyncDispose]());

const size = { width: 64, height: 64 };
const count = 12;
const { signal } = new AbortController();
const silent = { onWait: () => {}, onNote: () => {}, onFlagged: () => {} };
const open = (token?: string): Promise<Painter> =>
  openRemotePainter({ url: server.url, token }, silent, signal);

/** Grey frames, each brighter than the one before. */
async function* frames(): AsyncGenerator<InputFrame, void, void> {
  for (let time = 0; time < count; time++) {
    await Promise.resolve();
    const data = new Uint8Array(64 * 64 * 3).fill(20 * (time + 1));
    yield { image: { ...size, data }, time, name: null };
  }
}

describe('a server that generates the frames of a file', () => {
  it('loses none, and keeps their order, although newer frames replace waiting ones there', async () => {
    await using painter = await open();
    // Nothing changes outside of an empty mask, so each result shows its own frame.
    const mask = { mask: 'rectangle', mask_width: 0, mask_height: 0, mask_feather: 0 } as const;
    const parameters = { ...painter.defaults, ...size, prompt: 'oil', ...mask };
    const times: number[] = [];
    const shades: number[] = [];
    const prompts: string[] = [];
    const onUnderstood = (all: readonly { readonly text: string }[]): void =>
      void prompts.push(...all.map(({ text }) => text));
    const look = { parameters, controls: painter.controls, onUnderstood };
    for await (const { image, time, made } of generate(painter, look, frames(), { signal })) {
      assert.deepEqual([image.width, image.height], [64, 64]);
      times.push(time);
      shades.push(meanColour(image)[0] ?? 0);
      assert.ok(made && made.timings.denoiseMs >= 0 && made.latency > 0);
    }
    assert.deepEqual(
      times,
      Array.from({ length: count }, (_, index) => index),
    );
    const expected = times.map((time) => 20 * (time + 1));
    const off = shades.map((shade, index) => Math.abs(shade - (expected[index] ?? 0)));
    assert.ok(Math.max(...off) < 4, shades.join(' '));
    assert.deepEqual(prompts, ['oil']);
  });

  it('changes prompts over time', async () => {
    await using painter = await open();
    const parameters = { ...painter.defaults, ...size, prompt: 'oil' };
    const timing = { timebase: { numerator: 1, denominator: 4 }, rate: { numerator: 4, denominator: 1 } };
    const timeline = new Timeline([{ at: 1, over: 1, parameters: { prompt: 'pencil sketch', seed: 5 } }], {
      ...timing,
      isLive: false,
    });
    const prompts: string[] = [];
    const onUnderstood = (all: readonly { readonly text: string }[]): void =>
      void prompts.push(...all.map(({ text }) => text));
    let done = 0;
    const look = { parameters, controls: [], timeline, onUnderstood };
    for await (const _ of generate(painter, look, frames(), { signal })) done += 1;
    assert.equal(done, count);
    assert.deepEqual(prompts, ['oil', 'pencil sketch']);
  });

  it('passes on what the server refuses', async () => {
    await using painter = await open();
    const look = { parameters: { ...painter.defaults, width: 65 }, controls: [] };
    const read = async (): Promise<void> => {
      for await (const _ of generate(painter, look, frames(), { signal }));
    };
    await assert.rejects(read, { name: 'MillraceError', code: 'invalid_parameter', field: 'width' });
    await assert.rejects(openRemotePainter({ url: 'http://127.0.0.1:1', token: undefined }, silent, signal), {
      code: 'connection_failed',
    });
  });
});
