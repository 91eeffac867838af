import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  clientMessages,
  FieldError,
  readFields,
  serverMessages,
  stageNames,
  type Limits,
  type QualityMessage,
  type ResultMessage,
  type StageTimes,
  type StageTimings,
} from '@millrace/protocol';
import { messageFromJson } from './message-json.js';

type Table = Parameters<typeof readFields>[0];

const definitions: readonly (readonly [type: string, fields: Table])[] = [
  ...Object.entries(clientMessages),
  ...Object.entries(serverMessages),
].map(([type, { fields }]) => [type, fields]);

function fixture(type: string): Readonly<Record<string, unknown>> {
  const { type: own, ...fields } = messageFromJson(
    readFileSync(new URL(`../../../protocol/fixtures/${type}.json`, import.meta.url), 'utf8'),
  );
  assert.equal(own, type);
  return fields;
}

/** Holds two types equal: the assignment of `true` compiles only then. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

describe('the table of messages', () => {
  for (const [type, fields] of definitions) {
    it(`reads the fixture of ${type}, without unknown fields`, () => {
      const message = fixture(type);
      assert.deepEqual(readFields(fields, { ...message, more: 1, constructor: 2 }), message);
    });

    it(`names each field of ${type} that is invalid`, () => {
      const message = fixture(type);
      for (const [name, { kind, optional, most }] of Object.entries(fields)) {
        // Parameters that a client sets are checked one by one.
        if (kind === 'changes') continue;
        const wrong: unknown[] = [Symbol('of no kind')];
        if (!optional) wrong.push(undefined);
        if (kind !== 'number or nil' && !optional) wrong.push(null);
        if (most !== undefined) wrong.push('x'.repeat(most + 1));
        for (const value of wrong) {
          assert.throws(
            () => readFields(fields, { ...message, [name]: value }),
            (error: unknown) => error instanceof FieldError && error.field === name,
            `${name}: ${String(value).slice(0, 20)}`,
          );
        }
      }
    });

    it(`takes nil for an optional field of ${type} as absent`, () => {
      const optional = Object.entries(fields).flatMap(([name, { optional }]) => (optional ? [name] : []));
      const message = fixture(type);
      const rest = Object.fromEntries(Object.entries(message).filter(([name]) => !optional.includes(name)));
      const nils = Object.fromEntries(optional.map((name) => [name, null]));
      assert.deepEqual(readFields(fields, { ...message, ...nils }), rest);
    });
  }

  it('holds for maps inside of messages', () => {
    const { limits, ...ready } = fixture('ready') as { readonly limits: Limits };
    const read = (change: object): unknown =>
      readFields(serverMessages.ready.fields, { ...ready, limits: { ...limits, ...change } })['limits'];
    assert.deepEqual(read({ more: 1 }), limits);
    const { fps: _, ...others } = limits;
    assert.deepEqual(read({ fps: null }), others);
    assert.throws(() => read({ size: 1.5 }), {
      field: 'limits.size',
      message: 'limits.size must be an integer from 0 to 2^53-1',
    });
    const result = fixture('result') as { readonly times: StageTimes; readonly timings: StageTimings };
    assert.deepEqual(
      readFields(serverMessages.result.fields, {
        ...result,
        times: { ...result.times, magic: 1.5 },
        timings: { ...result.timings, magic: 1.5 },
      }),
      result,
    );
    assert.throws(
      () => readFields(serverMessages.result.fields, { ...result, times: { ...result.times, sent: NaN } }),
      { field: 'times.sent' },
    );
  });

  it('gives the types of the messages', () => {
    const times: Same<keyof StageTimes, keyof (typeof expected)['times']> = true;
    const timings: Same<keyof StageTimings, keyof (typeof expected)['timings']> = true;
    const limits: Same<
      Limits,
      {
        readonly message_bytes: number;
        readonly frame_pixels: number;
        readonly unacknowledged_results: number;
        readonly updates_per_second: number;
        readonly fps?: number;
        readonly size?: number;
        readonly steps?: number;
      }
    > = true;
    const quality: Same<QualityMessage, { readonly type: 'quality'; readonly fps: number | null }> = true;
    const result: Same<ResultMessage, typeof expected> = true;
    assert.ok(times && timings && limits && quality && result);
    assert.deepEqual({ type: 'result', ...fixture('result') }, expected);
    assert.deepEqual([...stageNames, 'total'], Object.keys(expected.timings));
  });
});

const expected: {
  readonly type: 'result';
  readonly id: number;
  readonly sequence: number;
  readonly captured: number;
  readonly width: number;
  readonly height: number;
  readonly timings: Readonly<
    Record<'decode' | 'queue' | 'encode' | 'denoise' | 'vae_decode' | 'image_encode' | 'total', number>
  >;
  readonly times: Readonly<
    Record<'received' | 'decoded' | 'queued' | 'encoded' | 'denoised' | 'vae_decoded' | 'sent', number>
  >;
  readonly data: Uint8Array;
  readonly controls?: Readonly<Record<string, Uint8Array>>;
} = {
  type: 'result',
  id: 2 ** 32,
  sequence: 300,
  captured: 1234.5,
  width: 256,
  height: 256,
  timings: {
    decode: 1.5,
    queue: 2.25,
    encode: 6,
    denoise: 18.5,
    vae_decode: 7.75,
    image_encode: 0.5,
    total: 37,
  },
  times: {
    received: 41,
    decoded: 42.5,
    queued: 44.75,
    encoded: 50.75,
    denoised: 69.25,
    vae_decoded: 77,
    sent: 78,
  },
  data: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9),
  controls: { canny: Uint8Array.of(0xff, 0xd8, 0xff) },
};
