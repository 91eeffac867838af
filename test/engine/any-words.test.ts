import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawOnce, embeddedModel, RecordedStream, tinyParameters } from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';
import type { TestEngine } from '../support/engine.js';

const frame = { t_index_list: [25], height: 64, cfg_type: 'none' } as const;

function draw({ engine }: TestEngine, prompt: string): Promise<Uint8Array> {
  return drawOnce(engine, tinyParameters({ ...frame, prompt }));
}

/** Returns how alike two pictures are, in decibels. */
function psnr(a: Uint8Array, b: Uint8Array): number {
  const error = a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0) / a.length;
  return 10 * Math.log10(255 ** 2 / Math.max(error, 1e-3));
}

/** Prompts that name no look, and the looks that a person would accept for them. */
const prompts: Readonly<Record<string, readonly string[]>> = {
  'a spaceship': ['cyberpunk', 'galaxy', 'hologram', 'alien', 'a robot'],
  'a rotting corpse walks': ['zombie', 'ghost', 'vampire'],
  'a samurai warrior': ['ukiyo-e', 'anime', 'engraving', 'woodcut'],
  'a cathedral': ['stained glass', 'mosaic', 'marble', 'gold', 'tapestry'],
  'a murder mystery': ['film noir', 'vhs', 'vampire', 'ghost', 'candlelight'],
  'a fire breathing dragon': ['fire', 'alien', 'thermal'],
  'under the ocean': ['underwater', 'ice', 'rain'],
  sushi: ['ukiyo-e', 'anime'],
  'a fairy': ['watercolor', 'anime', 'colored pencil', 'jungle', 'crystal'],
  napoleon: ['oil painting', 'engraving', 'marble', 'bronze', 'sepia'],
};

describe('a prompt that names no style of the embedded model', () => {
  it('is drawn in a style that is near in meaning, and told so', async () => {
    await using run = await startBorrowedEngine(embeddedModel);
    const plain = await draw(run, '');
    for (const [prompt, accepted] of Object.entries(prompts)) {
      const stream = await RecordedStream.open(run.engine, tinyParameters({ ...frame, prompt }));
      const [understood] = stream.stream.understood ?? [];
      const [style = 'none'] = Object.keys(understood?.styles ?? {});
      stream.stream.close();
      assert.ok(
        accepted.some((name) => style.includes(name)),
        `${prompt}: ${style}`,
      );
      assert.equal(understood?.nearest, true, prompt);
      const alike = psnr(await draw(run, prompt), plain);
      assert.ok(alike <= 25, `${prompt}: ${alike} dB`);
    }
  });

  it('returns the picture if nobody means anything by it, and says so', async () => {
    await using run = await startBorrowedEngine(embeddedModel);
    const plain = await draw(run, '');
    const noise = [
      ['xqzt gfff', 'xqzt gfff'],
      ['asdf qwer', 'asdf qwer'],
      ['???!!!', undefined],
    ] as const;
    for (const [prompt, words] of noise) {
      const stream = await RecordedStream.open(run.engine, tinyParameters({ ...frame, prompt }));
      const [understood] = stream.stream.understood ?? [];
      stream.stream.close();
      assert.deepEqual(
        [understood?.styles, understood?.moods, understood?.nearest, understood?.ignored],
        [{}, {}, undefined, words],
      );
      const alike = psnr(await draw(run, prompt), plain);
      assert.ok(alike > 28, `${prompt}: ${alike} dB`);
    }
  });
});
