import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { BufferPool } from '../../../../src/engine/buffer-pool.js';
import type { Row } from '../../../../src/diffusion/stream.js';
import type { FromWorker } from '../../../../src/engine/messages.js';
import type { Image } from '../../../../src/image/image.js';
import { PromptEmbedder } from '../../../../src/engine/worker/conditioning/prompt-embedder.js';
import { ExpectedCosts } from '../../../../src/engine/costs.js';
import { NotFiniteError } from '../../../../src/engine/worker/networks/finite.js';
import { FrameLoop } from '../../../../src/engine/worker/streams/frame-loop.js';
import { BankMemory } from '../../../../src/engine/worker/streams/bank-memory.js';
import type { SafetyGuard } from '../../../../src/engine/worker/streams/safety-guard.js';
import { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import { latentShape } from '../../../../src/engine/worker/networks/sizes.js';
import { WorkPrices } from '../../../../src/engine/worker/streams/work-prices.js';
import { ModelError } from '../../../../src/model/model-error.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

export const folder = await readModelFolder(tinyModel);
export const side = 2 * folder.sizeFactor;
export const usual = latentShape(folder, { width: side, height: side });

/** Returns the shape of the latents of pictures of this size. */
export function sizeOf(size: { readonly width: number; readonly height: number }): typeof usual {
  return latentShape(folder, size);
}

/** A clock that work and tests advance. */
export const clock = { now: 0 };

/** Lets `performance.now()` show that clock in all tests of a file, at whose top it is called. */
export function useClock(): void {
  beforeEach(() => {
    clock.now = 1e6;
    mock.method(performance, 'now', () => clock.now);
  });
  afterEach(() => mock.restoreAll());
}

export type Result = Extract<FromWorker, { type: 'result' }>;
type Call = Extract<FromWorker, { type: 'inference' }>;

export interface Rig {
  readonly loop: FrameLoop;
  readonly posted: FromWorker[];
  /** The memory that was transferred with each message that transfers some. */
  readonly given: (readonly ArrayBuffer[])[];
  readonly pixels: BufferPool;
  readonly prices: WorkPrices;
  /** Rows of each call. */
  readonly calls: number[];
  /** Parts whose next result is not finite. */
  readonly spoil: Set<'encode' | 'predict' | 'overflow' | 'decode' | 'crash' | 'features' | 'preprocess'>;
  /** The pictures of which features were computed: the name of the control and the first byte. */
  readonly features: string[];
  /** Pictures of each call of a preprocessor. */
  readonly preprocessed: number[];
  /** Pictures of each call of the VAE. */
  readonly encoded: number[];
  readonly decoded: number[];
  /** The rows of each call. */
  readonly rows: (readonly Row[])[];
  readonly open: (id: number, changes?: Partial<StreamParameters>) => Promise<LiveStream>;
  readonly results: () => readonly Result[];
  readonly inferences: () => readonly Call[];
  /** Returns the posted messages in short. */
  readonly fates: () => readonly string[];
}

/** What streams are opened with. */
export const usualParameters: StreamParameters = {
  ...defaultParameters(),
  width: side,
  height: side,
  prompt: 'fox',
  t_index_list: [10, 30],
  denoise: 'stream',
};

/** The byte of pictures for which preprocessors fail. */
export const breaking = 99;
const noGuard: SafetyGuard | null = null;

/**
 * A preprocessor takes 6 ms for a picture, which it inverts. Encoding takes 2 ms, decoding 3 ms, features 4 ms, and a
 * call 10 ms a row, as calibration expects it; with each control as long again.
 * @param pictureGrowth exponent of the time of encoding and decoding by the number of pictures.
 */
export function setUp({
  rowBudget = 4,
  pictureBudget = 1,
  pictureGrowth = 1,
  encodeMs = 2,
  rowMs = 10,
  largeMs = 0,
  model = folder,
  guard = noGuard,
} = {}): Rig {
  const posted: FromWorker[] = [];
  const given: (readonly ArrayBuffer[])[] = [];
  const calls: number[] = [];
  const spoil: Rig['spoil'] = new Set();
  const features: string[] = [];
  const preprocessed: number[] = [];
  const encoded: number[] = [];
  const decoded: number[] = [];
  const rowsOfCalls: (readonly Row[])[] = [];
  const pixels = new BufferPool(4);
  const costs = [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows }));
  const steered = { ratio: 1, controlRatio: 1, bankRatio: 0.5, featuresMs: 4 };
  const pictureCosts = [1, 2, 4, 8].map((rows) => ({ rows, ms: 5 * rows ** pictureGrowth }));
  const expected = new ExpectedCosts({ costs, pictureMs: 5, pictureCosts, steered }, usual);
  const prices = new WorkPrices(expected, { rowBudget, usual });
  const loop = new FrameLoop(
    {
      latentShape: sizeOf,
      controls: {
        features(name, picture) {
          features.push(`${name} ${picture[0]}`);
          clock.now += 4;
          if (spoil.delete('features')) return Promise.reject(new NotFiniteError('control'));
          return Promise.resolve({ [`feature of ${name}`]: Float32Array.of(picture[0]) });
        },
      },
      preparePictures(jobs) {
        preprocessed.push(jobs.length);
        clock.now += 6 * jobs.length;
        if (jobs.some(({ image }) => image.data[0] === breaking)) {
          return Promise.reject(new ModelError('model.onnx', 'fails for this picture'));
        }
        const pictures = jobs.map(({ preprocessor, image }) => {
          features.push(`${preprocessor} of ${image.data[0]}`);
          return spoil.delete('preprocess')
            ? null
            : { ...image, data: image.data.map((value) => 255 - value) };
        });
        return Promise.resolve(pictures);
      },
      encode(pictures) {
        encoded.push(pictures.length);
        clock.now += encodeMs * pictures.length ** pictureGrowth;
        const latents = pictures.map(({ width, height, data: picture }) => {
          assert.equal(picture.length, width * height * 3);
          const shape = sizeOf({ width, height });
          if (spoil.delete('encode')) return null;
          return new Float32Array(shape[0] * shape[1] * shape[2]).fill(picture[0] / 256);
        });
        return Promise.resolve(latents);
      },
      predict(rows, shape, kept) {
        rowsOfCalls.push(rows);
        if (kept) rows.forEach((_, i) => (kept[i] = [Float32Array.of(i)]));
        assert.equal(rows[0]?.input.length, shape[0] * shape[1] * shape[2]);
        calls.push(rows.length);
        clock.now += (largeMs > 0 && shape[2] > usual[2] ? largeMs : rowMs) * rows.length;
        if (spoil.delete('crash')) return Promise.reject(new Error('out of memory'));
        const huge = spoil.delete('overflow') ? 3e38 : null;
        const bad = spoil.delete('predict') ? NaN : huge;
        // Each row has its own values, so that a mix-up shows.
        return Promise.resolve(
          rows.map(({ input }, i) => input.map((value) => (i === 0 && bad !== null ? bad : value / 2))),
        );
      },
      decode(latents, outs) {
        decoded.push(latents.length);
        clock.now += 3 * latents.length ** pictureGrowth;
        const finite = outs.map(({ width, height, data: out }, i) => {
          assert.equal(out.length, width * height * 3);
          out.fill(100 * latents[i][0]);
          return !spoil.delete('decode');
        });
        return Promise.resolve(finite);
      },
    },
    {
      rowBudget,
      pictureBudget,
      expected,
      prices,
      pixels,
      guard,
      post(message, transfer) {
        posted.push(message);
        if (transfer) given.push(transfer);
      },
    },
  );
  const open: Rig['open'] = async (id, changes = {}) => {
    const parameters = { ...usualParameters, ...changes };
    const stream = await LiveStream.open(
      { id, account: null },
      {
        model: { folder: model, mixesTimesteps: true, latentShape: sizeOf },
        costs,
        pictureMs: 5,
        drop: (id, { frame }, reason) => void posted.push({ type: 'dropped', stream: id, frame, reason }),
        prompts: await PromptEmbedder.create({
          folder: model,
          embed: () => Promise.resolve({ encoder_hidden_states: new Float32Array(4) }),
        }),
        styleTokens: null,
        prices,
        bankMemory: new BankMemory(1e9),
      },
      parameters,
    );
    loop.add(stream);
    return stream;
  };
  const fates = (): readonly string[] =>
    posted.flatMap((message) => {
      if (message.type === 'note') return [`note: ${message.text}`];
      if (message.type === 'not_finite') return [`not finite: ${message.part}`];
      if (message.type === 'dropped') return [`${message.stream}: ${message.frame} ${message.reason}`];
      if (message.type === 'admitted' || message.type === 'result')
        return [`${message.stream}: ${message.frame} ${message.type}`];
      return [];
    });
  return {
    loop,
    posted,
    given,
    pixels,
    prices,
    calls,
    spoil,
    features,
    preprocessed,
    encoded,
    decoded,
    rows: rowsOfCalls,
    open,
    results: () => posted.filter((message) => message.type === 'result'),
    inferences: () => posted.filter((message) => message.type === 'inference'),
    fates,
  };
}

/** Pushes a frame that is filled with a byte. @returns its memory. */
export function push(
  stream: LiveStream,
  frame: number,
  {
    byte = frame,
    textOnly = false,
    controls = {},
    mask,
    replace = false,
  }: {
    byte?: number;
    textOnly?: boolean;
    controls?: Readonly<Record<string, number>>;
    mask?: number;
    replace?: boolean;
  } = {},
): ArrayBuffer | null {
  const { width, height } = stream.size;
  const data = new Uint8Array(width * height * 3).fill(byte);
  const image = textOnly ? null : { width, height, data };
  const picture = (value: number): Image => ({
    width,
    height,
    data: new Uint8Array(data.length).fill(value),
  });
  const pictures = Object.fromEntries(
    Object.entries(controls).map(([name, value]) => [name, picture(value)]),
  );
  const ownMask =
    mask === undefined ? undefined : { width, height, data: new Uint8Array(width * height).fill(mask) };
  const input = {
    image,
    ...(Object.keys(controls).length > 0 && { controls: pictures }),
    ...(ownMask && { mask: ownMask }),
  };
  stream.push({ frame, width, height, input, arrivedAt: clock.now }, replace);
  return image && data.buffer;
}
