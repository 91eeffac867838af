import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { EmbeddingCache } from '../../../src/engine/worker/embedding-cache.js';
import { LiveStream } from '../../../src/engine/worker/live-stream.js';
import type { StreamContext } from '../../../src/engine/worker/stream-context.js';
import { Padding } from '../../../src/engine/worker/padding.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { tinyModel } from '../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const side = 2 * folder.sizeFactor;
const chunk = 4;

/** A prompt is encoded as its length; one of two words is two chunks long. */
function embed(prompt: string): Float32Array {
  return new Float32Array(chunk * (prompt.includes(' ') ? 2 : 1)).fill(prompt.length);
}

interface Rig {
  readonly stream: LiveStream;
  readonly drops: string[];
  /** Hands frames over; each is filled with its number if not with another byte. */
  readonly push: (
    frame: number,
    options?: { readonly replace?: boolean; readonly width?: number; readonly byte?: number },
  ) => void;
  /** Lets frames that passed the filter enter, and takes all under way a stage on. @returns finished frames. */
  readonly turn: () => readonly number[];
  readonly configure: (changes: Partial<StreamParameters>) => Promise<number>;
}

async function setUp(
  changes: Partial<StreamParameters> = {},
  context: Partial<StreamContext> = {},
  account: string | null = null,
): Promise<Rig> {
  const drops: string[] = [];
  let parameters: StreamParameters = {
    ...defaultParameters(),
    width: side,
    height: side,
    prompt: 'fox',
    t_index_list: [10, 20, 30],
    ...changes,
  };
  const stream = await LiveStream.open(
    { id: 3, account },
    {
      model: {
        folder,
        mixesTimesteps: true,
        latentShape: ({ width, height }) => [1, height / folder.sizeFactor, width / folder.sizeFactor],
      },
      // A call of many rows costs no more than one.
      costs: [1, 8].map((rows) => ({ rows, ms: 10 })),
      drop: (id, { frame }, reason) => void drops.push(`${id}: ${frame} ${reason}`),
      embeddings: new EmbeddingCache((prompt) => Promise.resolve({ embedding: embed(prompt) }), {
        capacity: 9,
        onLookup: () => {},
      }),
      emptyNegative: null,
      padding: new Padding(embed(''), null),
      prices: { row: () => 1, picture: () => 1 },
      ...context,
    },
    parameters,
  );
  const push: Rig['push'] = (frame, { replace = true, width = parameters.width, byte = frame } = {}) => {
    const { height } = parameters;
    const pixels = new Uint8Array(width * height * 3).fill(byte).buffer;
    stream.push({ frame, width, height, pixels, arrived: 0 }, replace);
  };
  const turn: Rig['turn'] = () => {
    stream.screen();
    const lanes = [...stream.lanes()];
    const entries = stream.entries().length;
    for (let i = 0; i < entries; i++) {
      const { frame } = stream.takeEntry();
      const latent = new Float32Array(stream.plan.shape.reduce((all, length) => all * length)).fill(frame);
      lanes.push(stream.admit(frame, latent));
    }
    return lanes.flatMap((lane) => {
      const outputs = lane.rows.map(({ input }) => input.map((value) => value / 2));
      return stream.absorb(lane, outputs) === null ? [] : [lane.frame];
    });
  };
  const configure: Rig['configure'] = (more) => {
    parameters = { ...parameters, ...more };
    return stream.configure(parameters);
  };
  return { stream, drops, push, turn, configure };
}

describe('frames that wait', () => {
  it('give way to newer ones where they replace each other, as many as the buffer holds stay', async () => {
    const { drops, push, turn } = await setUp({ frame_buffer_size: 2 });
    for (const frame of [1, 2, 3, 4]) push(frame);
    assert.deepEqual(drops, ['3: 1 superseded', '3: 2 superseded']);
    assert.deepEqual([turn(), turn(), turn()], [[], [], [3, 4]]);
  });

  it('all stay where each counts, and enter one by one', async () => {
    const { stream, drops, push, turn } = await setUp();
    for (const frame of [1, 2, 3]) push(frame, { replace: false });
    assert.deepEqual([turn(), turn(), turn(), turn(), turn()], [[], [], [1], [2], [3]]);
    push(4);
    assert.deepEqual(
      stream.close().map(({ frame }) => frame),
      [4],
    );
    assert.deepEqual([drops, stream.entries(), stream.close()], [[], [], []]);
    assert.throws(() => stream.takeEntry(), RangeError);
  });

  it('are dropped if they are not of the size that the stream has', async () => {
    const { drops, push, turn, configure } = await setUp();
    push(1);
    turn();
    push(2);
    push(3, { width: 2 * side });
    assert.deepEqual(drops, ['3: 2 superseded', '3: 3 stale']);
    push(4);
    await configure({ width: 2 * side });
    assert.deepEqual(drops.slice(2), ['3: 4 stale']);
  });

  it('are asked about again where a newer one takes the place of one that could have entered', async () => {
    const { stream, drops, push } = await setUp();
    push(1);
    stream.screen();
    assert.deepEqual(stream.entries(), [1]);
    push(2);
    assert.deepEqual(stream.entries(), [], 'the filter has not seen it');
    const { stream: wide, push: pushWide, configure } = await setUp({ frame_buffer_size: 2 });
    for (const frame of [1, 2]) pushWide(frame);
    wide.screen();
    pushWide(3);
    assert.deepEqual(wide.entries(), [1]);
    assert.deepEqual(drops, ['3: 1 superseded']);
    await configure({ height: 2 * side });
    assert.deepEqual(wide.close(), [], 'of another height');
  });

  it('are all given back at the end', async () => {
    const { stream, push } = await setUp();
    for (const frame of [1, 2, 3]) push(frame, { replace: false });
    assert.deepEqual(
      stream.close().map(({ frame }) => frame),
      [1, 2, 3],
    );
  });

  it('of a new size enter when those of the old one have left', async () => {
    const { stream, push, turn, configure } = await setUp();
    push(1);
    turn();
    const key = stream.key;
    await configure({ width: 2 * side });
    push(2);
    assert.deepEqual([stream.key, stream.size], [key, { width: 2 * side, height: side }]);
    stream.screen();
    assert.deepEqual(stream.entries(), []);
    assert.deepEqual([turn(), turn()], [[], [1]]);
    assert.notEqual(stream.key, key);
    assert.deepEqual([turn(), turn(), turn()], [[], [], [2]]);
  });
});

describe('the similarity filter', () => {
  const still = { similar_image_filter: true, similar_image_filter_threshold: 0.9 } as const;

  it('answers frames that are like the last one that entered, up to a number in a row', async () => {
    const { drops, push, turn } = await setUp({ ...still, similar_image_filter_max_skip_frame: 2 });
    for (const frame of [10, 11, 12, 13, 14]) {
      push(frame);
      turn();
    }
    assert.deepEqual(drops, ['3: 11 similar', '3: 12 similar', '3: 14 similar']);
  });

  it('looks at no frame while it is off, and compares with none from before a change', async () => {
    const off = await setUp({ ...still, similar_image_filter: false });
    for (const frame of [10, 11]) {
      off.push(frame);
      off.turn();
    }
    assert.deepEqual(off.drops, []);
    const { drops, push, turn, configure } = await setUp(still);
    push(10);
    turn();
    await configure({ prompt: 'cat' });
    push(11);
    turn();
    assert.deepEqual(drops, []);
  });

  it('asks once about each frame, and about no more than may enter', async () => {
    const { stream, drops, push, turn } = await setUp({ ...still, similar_image_filter_max_skip_frame: 9 });
    push(10, { replace: false });
    turn();
    for (const frame of [11, 12, 200, 201]) push(frame, { replace: false });
    stream.screen();
    stream.screen();
    assert.deepEqual(drops, ['3: 11 similar', '3: 12 similar']);
    assert.equal(stream.entries().length, 1);
    assert.equal(stream.takeEntry().frame, 200);
  });
});

describe('the similarity filter by chance', () => {
  /** Which of many frames are skipped that are a little like each other. */
  async function skipped(seed: StreamParameters['seed']): Promise<string> {
    const settings = { similar_image_filter: true, similar_image_filter_threshold: 0.5 } as const;
    const { stream, drops, turn } = await setUp({ ...settings, seed, t_index_list: [10] });
    for (let frame = 0; frame < 60; frame++) {
      const pixels = new Uint8Array(side * side * 3).fill(255);
      // A sixteenth is black, another one in each frame: each is skipped with a probability of a half.
      const part = pixels.length / 16;
      pixels.fill(0, (frame % 8) * part, ((frame % 8) + 1) * part);
      stream.push({ frame, width: side, height: side, pixels: pixels.buffer, arrived: 0 }, true);
      turn();
    }
    return drops.join();
  }

  it('depends on the seed, the first of several', async () => {
    const wanted = await skipped(7);
    assert.ok(wanted.includes('similar'));
    assert.equal(
      await skipped([
        { seed: 7, weight: 1 },
        { seed: 8, weight: 1 },
      ]),
      wanted,
    );
    assert.notEqual(await skipped(8), wanted);
  });

  it('goes by the last picture, also where a frame came without one', async () => {
    const settings = { similar_image_filter: true, t_index_list: [10] } as const;
    const { stream, drops, push, turn } = await setUp(settings);
    push(10);
    turn();
    stream.push({ frame: 11, width: side, height: side, pixels: null, arrived: 0 }, true);
    turn();
    push(12, { byte: 10 });
    turn();
    assert.deepEqual(drops, ['3: 12 similar']);
  });

  it('compares with no frame that was given up', async () => {
    const { stream, drops, push, turn } = await setUp({ similar_image_filter: true });
    push(10);
    turn();
    stream.discard(10);
    push(11, { byte: 10 });
    turn();
    assert.deepEqual(drops, []);
    assert.deepEqual(
      stream.lanes().map(({ frame }) => frame),
      [11],
    );
  });
});

it('a stream has the account that it was opened for', async () => {
  const { stream } = await setUp();
  assert.equal(stream.account, undefined);
  assert.equal((await setUp({}, {}, 'a tenant')).stream.account, 'a tenant');
});

describe('a change', () => {
  it('says which frame is the first that it affects', async () => {
    const { push, turn, configure } = await setUp();
    assert.equal(await configure({ quality: 50 }), 0);
    push(5);
    assert.equal(await configure({ seed: 3 }), 5, 'it waits');
    turn();
    assert.equal(await configure({ seed: 4 }), 6, 'frames under way keep the plan that they entered with');
    assert.equal(await configure({ prompt: 'a' }), 5, 'but not the prompt');
    assert.equal(await configure({ guidance_scale: 3, cfg_type: 'full' }), 5);
    assert.equal(await configure({ negative_prompt: 'b' }), 5);
    turn();
    turn();
    assert.equal(await configure({ prompt: 'cc' }), 6, 'nothing is under way');
  });

  it('of what makes no plan keeps the plan', async () => {
    const { stream, configure } = await setUp();
    const { plan } = stream;
    await configure({ prompt: 'a', quality: 3 });
    assert.equal(stream.plan, plan);
    await configure({ seed: 99 });
    assert.notEqual(stream.plan, plan);
  });

  it('that cannot be leaves all as it was', async () => {
    const { stream, configure } = await setUp();
    const { plan, size } = stream;
    await assert.rejects(configure({ width: side + 1, prompt: 'a' }), { field: 'width' });
    await assert.rejects(configure({ width: side, prompt: [{ text: 'a', weight: 0 }] }), { field: 'prompt' });
    assert.deepEqual([stream.plan, stream.size], [plan, size]);
  });
});

describe('prompts', () => {
  const positiveOf = ({ stream }: Rig): readonly number[] => {
    const [lane] = stream.lanes();
    return [...(lane?.rows.at(-1)?.conditioning.embedding ?? [])];
  };

  it('move over frames, both as long as the longer one', async () => {
    const rig = await setUp({ transition_frames: 2, t_index_list: [10] });
    rig.push(1);
    rig.turn();
    const short = rig.stream.key;
    await rig.configure({ prompt: 'aa bb' });
    assert.notEqual(rig.stream.key, short);
    for (const expected of [
      [3, 3, 3, 3, 0, 0, 0, 0],
      [4, 4, 4, 4, 2.5, 2.5, 2.5, 2.5],
      [5, 5, 5, 5, 5, 5, 5, 5],
    ]) {
      const lane = rig.stream.admit(9, null);
      assert.deepEqual(positiveOf(rig), expected);
      rig.stream.absorb(lane, [new Float32Array(4)]);
    }
  });

  const negativeOf = ({ stream }: Rig): readonly number[] => {
    const [lane] = stream.lanes();
    return [...(lane?.rows[0]?.conditioning.embedding ?? [])];
  };

  it('that are negative move as well, here and elsewhere', async () => {
    const settings = {
      transition_frames: 4,
      cfg_type: 'full',
      guidance_scale: 3,
      t_index_list: [10],
    } as const;
    const rig = await setUp({ ...settings, negative_prompt: 'f' });
    await rig.configure({ negative_prompt: 'fffff' });
    rig.stream.admit(0, null);
    assert.deepEqual(negativeOf(rig), [1, 1, 1, 1]);
    const state = structuredClone(rig.stream.snapshot());
    assert.equal(state.transitions?.positive, null);
    const other = await setUp({ ...settings, negative_prompt: 'fffff' });
    other.stream.restore(state);
    for (const { stream } of [rig, other]) stream.admit(1, null);
    assert.deepEqual(negativeOf(other), [2, 2, 2, 2]);
    assert.deepEqual(negativeOf(rig), [2, 2, 2, 2]);
  });

  it('go on with a transition that began elsewhere', async () => {
    const settings = { transition_frames: 4, prompt: 'f' };
    const rig = await setUp(settings);
    await rig.configure({ prompt: 'fffff' });
    rig.stream.admit(0, null);
    const state = structuredClone(rig.stream.snapshot());
    assert.equal(state.transitions?.positive?.length.frames, 4);
    assert.equal(state.transitions?.negative, null);
    const other = await setUp({ ...settings, prompt: 'fffff' });
    assert.equal(other.stream.snapshot().transitions, undefined);
    other.stream.restore(state);
    for (const { stream } of [rig, other]) stream.admit(1, null);
    assert.deepEqual(positiveOf(other), [2, 2, 2, 2]);
    assert.deepEqual(positiveOf(rig), positiveOf(other));
    assert.equal(await other.configure({ seed: 5 }), 1, 'ids go on behind the frames that came along');
  });

  it('leave out frames of another model', async () => {
    const rig = await setUp();
    rig.push(1);
    rig.turn();
    const state = rig.stream.snapshot();
    const [frame] = state.frames;
    const broken = [
      { ...frame, sample: new Float32Array(3) },
      { ...frame, stock: new Float32Array(3) },
      { ...frame, stageIndex: 3 },
    ];
    rig.stream.restore({ ordinal: 7, frames: broken });
    assert.deepEqual(rig.stream.snapshot().frames, []);
    assert.equal(await rig.configure({ seed: 1 }), 0);
    rig.stream.restore({ ordinal: 7, frames: [{ ...frame, stageIndex: 2 }] });
    assert.equal(rig.stream.snapshot().frames.length, 1);
    assert.equal(rig.stream.snapshot().ordinal, 7);
  });
});

describe('auto', () => {
  const together = async (
    changes: Partial<StreamParameters>,
    context: Partial<StreamContext> = {},
  ): Promise<boolean> => {
    const { stream, push, turn } = await setUp({ denoise: 'auto', ...changes }, context);
    push(1);
    turn();
    push(2);
    turn();
    return stream.lanes().length === 2;
  };

  it('goes by the rows that a frame has at its last stage', async () => {
    // Two rows cost no more than one, and four as much as two calls of them.
    const costs = [1, 2, 4].map((rows) => ({ rows, ms: rows === 4 ? 20 : 10 }));
    const settings = { guidance_scale: 3 };
    for (const [cfg_type, stream] of [
      ['self', true],
      ['initialize', true],
      ['full', false],
    ] as const) {
      assert.equal(await together({ ...settings, cfg_type }, { costs }), stream, cfg_type);
    }
  });

  it('is found out again at each change', async () => {
    const { stream, push, turn, configure } = await setUp({ denoise: 'sequential' });
    await configure({ denoise: 'stream' });
    for (const frame of [1, 2]) {
      push(frame);
      turn();
    }
    assert.equal(stream.lanes().length, 2);
  });

  const linear = [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows }));

  it('is the stream batch where calls of many rows are cheap', async () => {
    assert.equal(await together({}), true);
    assert.equal(await together({}, { costs: linear }), false);
    assert.equal(await together({ denoise: 'stream' }, { costs: linear }), true);
    assert.equal(await together({ denoise: 'sequential' }), false);
    const model = { folder, mixesTimesteps: false, latentShape: () => [1, 2, 2] as const };
    assert.equal(await together({}, { model }), false, 'rows at several stages cannot share a call');
  });
});
