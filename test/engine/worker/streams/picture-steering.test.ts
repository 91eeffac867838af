import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { Lane, RowValues } from '../../../../src/diffusion/stream.js';
import { BankMemory } from '../../../../src/engine/worker/streams/bank-memory.js';
import type { StreamContext } from '../../../../src/engine/worker/streams/stream-context.js';
import { steeredFolder } from '../../../support/steered-folder.js';
import { folder, setUp, side, type Rig } from './live-stream-rig.js';

const model: StreamContext['model'] = {
  folder: steeredFolder(folder),
  mixesTimesteps: true,
  latentShape: ({ width, height }) => [1, height / folder.sizeFactor, width / folder.sizeFactor],
};
// The latents are 2 x 2; the bank is at half the side: keys and values of one position, 3 wide, in 4 bytes each.
const bytesOfRow = 2 * 3 * 4;
const feature = 'control_0_feature_0';
const own: RowValues = { [feature]: Float32Array.of(7) };
const canny = { controls: { canny: { scale: 0.5 } } } as const;

async function open(changes: Partial<StreamParameters> = {}, bankMemory = new BankMemory(1e6)): Promise<Rig> {
  return setUp({ denoise: 'stream', t_index_list: [10, 30], ...changes }, { model, bankMemory });
}

/** Lets a frame enter. @returns its lane. */
function enter({ stream, push }: Rig, frame: number, values?: RowValues): Lane {
  push(frame);
  stream.screen();
  const [channels, height, width] = stream.plan.shape;
  const { frame: next } = stream.takeEntry();
  return stream.admit(next, new Float32Array(channels * height * width), values);
}

/** Advances all frames by a stage, as if each row computed its frame's number for the bank. */
function advance({ stream }: Rig): void {
  for (const lane of stream.lanes()) {
    const kept = lane.rows.map(() => [new Float32Array(6).fill(lane.frame)]);
    stream.absorb(
      lane,
      lane.rows.map(({ input }) => input.slice()),
      kept,
    );
  }
}

/** Returns the first value of each slot of the bank that a row sees. */
function slotsOf({ rows: [row] }: Lane): readonly number[] | undefined {
  const { bank_mask: mask, bank_0: bank } = row.conditioning;
  return mask && Array.from(mask, (_, slot) => bank[6 * slot]);
}

describe('a stream that is steered by pictures', () => {
  it('has rows with the scales of its controls and the features of their own frames', async () => {
    const rig = await open(canny);
    assert.deepEqual(rig.stream.steered.controls, [{ name: 'canny', preprocessor: null }]);
    enter(rig, 1, own);
    advance(rig);
    enter(rig, 2);
    const conditionings = rig.stream.lanes().map(({ rows: [row] }) => row.conditioning);
    assert.deepEqual(
      conditionings.map(({ [feature]: values, control_0_scale: scale }) => [values?.[0], scale[0]]),
      [
        [7, 0.5],
        [undefined, 0.5],
      ],
    );
  });

  it('has rows of a kind of their own, which share calls only with each other', async () => {
    const keys = [];
    for (const changes of [
      {},
      canny,
      { controls: { canny: { scale: 0 } } },
      { attention_bank_frames: 1 },
      { attention_bank_frames: 2 },
      { ...canny, attention_bank_frames: 2 },
      { controls: { depth: { scale: 0.5 } } },
      { controls: { depth: { scale: 1 }, canny: { scale: 1 } } },
      { controls: { canny: { scale: 1 }, depth: { scale: 1 } } },
      { controls: { canny: { scale: 1 }, depth: { scale: 0 } } },
    ]) {
      const { stream } = await open(changes);
      keys.push(stream.key);
      assert.equal(stream.steered.use !== null, stream.key !== keys[0]);
    }
    const [plain, controlled, off, one, two, both, depth, all, again, first] = keys;
    assert.equal(off, plain);
    assert.equal(again, all, 'whatever their order and scales');
    assert.equal(first, controlled, 'one that is off costs nothing');
    assert.equal(new Set([plain, controlled, one, two, both, depth, all]).size, 7);
  });

  it('pays the price of its kind', async () => {
    const asked: unknown[] = [];
    const prices = {
      row: (...given: unknown[]) => asked.push(given),
      picture: () => 1,
      preprocessed: () => 1,
    };
    const { stream } = await setUp(canny, { model, prices });
    assert.equal(stream.rowCost, 1);
    await setUp({ ...canny, attention_bank_frames: 3 }, { model, prices }).then((rig) => rig.stream.rowCost);
    assert.deepEqual(asked[0], [stream.key, [1, 2, 2], { controls: 1, bankFrames: 0 }]);
    assert.deepEqual((asked[1] as unknown[])[2], { controls: 1, bankFrames: 3 });
  });

  it('changes at once for frames under way, and is refused as a whole if it does not fit', async () => {
    const rig = await open();
    enter(rig, 1, own);
    assert.equal(rig.stream.lanes()[0].rows[0].conditioning['control_0_scale'], undefined);
    assert.equal(await rig.configure(canny), 1);
    assert.equal(rig.stream.lanes()[0].rows[0].conditioning['control_0_scale'][0], 0.5);
    await assert.rejects(rig.configure({ controls: { pose: { scale: 1 } } }), { field: 'controls' });
    assert.equal(rig.stream.lanes()[0].rows[0].conditioning['control_0_scale'][0], 0.5);
  });

  it('gives positive rows the tokens of a style image, and negative ones those of none', async () => {
    const tokens = { positive: Float32Array.of(1), negative: Float32Array.of(2) };
    const styleTokens = { get: () => Promise.resolve(tokens) };
    const both = { cfg_type: 'full', guidance_scale: 2, t_index_list: [10] } as const;
    const rig = await setUp({ ...both, style_image: new Uint8Array(1) }, { model, styleTokens });
    enter(rig, 1);
    const { key } = rig.stream;
    const plain = await open(both);
    assert.notEqual(key, plain.stream.key);
    const seen = (): readonly unknown[] =>
      rig.stream
        .lanes()
        .flatMap(({ rows }) => rows)
        .map(({ role, conditioning: { image_tokens: image, ip_adapter_scale: scales } }) => [
          role,
          image?.[0],
          scales && [...scales],
        ]);
    assert.deepEqual(seen(), [
      ['negative', 2, [1, 1]],
      ['positive', 1, [1, 1]],
    ]);
    // The first of the two layers is before the bottleneck.
    await rig.configure({ ip_adapter_scale: 0.5, ip_adapter_weight_type: 'composition' });
    assert.deepEqual(seen(), [
      ['negative', 2, [0.5, 0]],
      ['positive', 1, [0.5, 0]],
    ]);
    assert.equal(rig.stream.key, key);
    for (const off of [{ ip_adapter_scale: 0 }, { ip_adapter_scale: 1, style_image: null }]) {
      await rig.configure(off);
      assert.equal(rig.stream.key, plain.stream.key);
      assert.deepEqual(seen(), [
        ['negative', undefined, undefined],
        ['positive', undefined, undefined],
      ]);
    }
  });
});

it('a style image steers both of two composed prompts', async () => {
  const tokens = { positive: Float32Array.of(1), negative: Float32Array.of(2) };
  const composed = {
    prompt: [
      { text: 'fox', weight: 1 },
      { text: 'horse', weight: 1 },
    ],
    prompt_composition: 'or',
    solver: 'EulerMaruyamaScheduler',
    cfg_type: 'none',
    style_image: new Uint8Array(1),
  } as const;
  const rig = await setUp(composed, { model, styleTokens: { get: () => Promise.resolve(tokens) } });
  const { rows } = enter(rig, 1);
  assert.deepEqual(
    rows.map(({ role, conditioning: { image_tokens: image } }) => [role, image?.[0]]),
    [
      ['second', 1],
      ['positive', 1],
    ],
  );
});

describe('the attention bank of a live stream', () => {
  it('fills with the frames that pass, and is empty after a new plan, another length, or off', async () => {
    const rig = await open({ attention_bank_frames: 2, t_index_list: [10] });
    const seen = [];
    for (const frame of [1, 2, 3]) {
      seen.push(slotsOf(enter(rig, frame)));
      advance(rig);
    }
    assert.deepEqual(seen, [[], [1], [1, 2]]);
    await rig.configure({ attention_bank_interval: 2, prompt: 'owl' });
    assert.deepEqual(slotsOf(enter(rig, 4)), [3, 2], 'other changes keep it');
    advance(rig);
    assert.deepEqual(slotsOf(enter(rig, 5)), [3, 2], 'the fourth pass is not kept');
    advance(rig);
    const changes: Partial<StreamParameters>[] = [
      { attention_bank_frames: 1 },
      { seed: 9 },
      { attention_bank_frames: 0 },
    ];
    for (const change of changes) {
      await rig.configure(change);
      assert.deepEqual(slotsOf(enter(rig, 6)), change.attention_bank_frames === 0 ? undefined : []);
      advance(rig);
    }
  });

  it('is empty after a frame that failed: what it attended to may be why', async () => {
    const rig = await open({ attention_bank_frames: 2, t_index_list: [10] });
    for (const frame of [1, 2]) {
      enter(rig, frame);
      advance(rig);
    }
    enter(rig, 3);
    rig.stream.discard(3);
    assert.deepEqual(slotsOf(enter(rig, 4)), []);
  });

  it('gives the memory of negative rows back when there are none any more', async () => {
    const full = { cfg_type: 'full', guidance_scale: 2 } as const;
    const rig = await open({ attention_bank_frames: 1, t_index_list: [10], ...full });
    const seen = (frame: number): readonly (readonly number[] | undefined)[] => {
      const lane = enter(rig, frame);
      const slots = lane.rows.map((row) => slotsOf({ ...lane, rows: [row] }));
      advance(rig);
      return slots;
    };
    assert.deepEqual(
      [seen(1), seen(2)],
      [
        [[], []],
        [[1], [1]],
      ],
    );
    await rig.configure({ cfg_type: 'none' });
    assert.deepEqual(seen(3), [[2]], 'positive ones keep theirs');
    await rig.configure(full);
    assert.deepEqual(seen(4), [[], [3]]);
  });

  it('begins empty where a stream continues, and fills again', async () => {
    const here = await open({ attention_bank_frames: 1 });
    for (const frame of [1, 2]) {
      enter(here, frame);
      advance(here);
    }
    const there = await open({ attention_bank_frames: 1 });
    there.stream.restore(structuredClone(here.stream.snapshot()));
    assert.deepEqual(there.stream.lanes().map(slotsOf), [[]]);
    advance(there);
    enter(there, 3);
    advance(there);
    assert.deepEqual(there.stream.lanes().map(slotsOf), [[2]]);
  });

  it('is refused if it takes more memory than is free, with how long it may be', async () => {
    const memory = new BankMemory(6 * bytesOfRow);
    memory.reserve(99, bytesOfRow);
    const steps = { t_index_list: [10, 30] };
    const first = await open({ ...steps, attention_bank_frames: 1 }, memory);
    const field = 'attention_bank_frames';
    await assert.rejects(open({ ...steps, attention_bank_frames: 3 }, memory), {
      name: 'ParameterError',
      field,
      message:
        /a bank of 3 frames takes 0.000144 MB .* but 0.000120 MB are free for banks: at most 2 frames would fit/,
    });
    await assert.rejects(first.configure({ attention_bank_frames: 4 }), { field });
    await first.configure({ attention_bank_frames: 2 });
    assert.equal(memory.leftFor(-1), bytesOfRow);
    await assert.rejects(first.configure({ cfg_type: 'full', guidance_scale: 2 }), {
      field,
      message: /at most 1 frame would fit/,
    });
    first.stream.close();
    assert.equal(memory.leftFor(-1), 5 * bytesOfRow);
    const large = { width: 8 * side, height: 8 * side, attention_bank_frames: 1 };
    await assert.rejects(open(large, memory), { field, message: /choose a smaller size or fewer steps/ });
  });
});
