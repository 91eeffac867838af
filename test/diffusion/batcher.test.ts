import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Batcher, type RowSource } from '../../src/diffusion/batcher.js';
import type { Lane, Stream } from '../../src/diffusion/stream.js';
import { relativeError } from '../parity/replay.js';
import { predict } from './fake-unet.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';
import { cases } from '../support/properties.js';

/** A session that always has another frame. */
class Session implements RowSource {
  readonly key: string;
  readonly stream: Stream;
  readonly rows: number[] = [];
  readonly out = new Map<number, Float32Array>();
  #next = 0;
  readonly #limit: number;
  account: string | undefined;
  rowCost = 1;
  pictureCost = 0;

  constructor(options: StreamOptions, limit = Infinity, key = '') {
    this.stream = createStream(options);
    this.#limit = limit;
    this.key = key;
  }

  get done(): boolean {
    return this.#next >= this.#limit && this.stream.oldestFrame === null;
  }

  lanes(): readonly Lane[] {
    return this.stream.lanes();
  }

  entries(): readonly number[] {
    const count = Math.min(this.stream.room(), this.#limit - this.#next);
    return Array.from({ length: count }, () => this.stream.entryRows);
  }

  admit(): Lane {
    const frame = this.#next++;
    this.stream.admit(frame, frameLatent(frame));
    return this.stream.lanes().at(-1)!;
  }

  absorb(lane: Lane): void {
    const latent = this.stream.absorb(lane, lane.rows.map(predict));
    if (latent) this.out.set(lane.frame, latent.slice());
  }
}

/** Makes one U-Net call. @returns its rows. */
function call(batcher: Batcher<Session>, sessions: readonly Session[], budget: number): number {
  const lanes: [Session, Lane][] = [];
  for (const share of batcher.gather(sessions, budget)) {
    for (const lane of share.lanes) lanes.push([share.source, lane]);
    for (let i = 0; i < share.entries; i++) lanes.push([share.source, share.source.admit()]);
  }
  let rows = 0;
  for (const [session, lane] of lanes) {
    session.rows.push(lane.rows.length);
    rows += lane.rows.length;
    session.absorb(lane);
  }
  return rows;
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0);

const anyOptions: fc.Arbitrary<StreamOptions> = fc.record({
  solver: fc.constantFrom(
    'LCMScheduler',
    'DDIMScheduler',
    'EulerDiscreteScheduler',
    'UniPCMultistepScheduler',
  ),
  t_index_list: fc
    .uniqueArray(fc.integer({ min: 0, max: 49 }), { minLength: 1, maxLength: 5 })
    .map((list) => {
      return list.toSorted((a, b) => a - b);
    }),
  cfgType: fc.constantFrom('none', 'full', 'self', 'initialize'),
  guidanceScale: fc.double({ min: 0.5, max: 3, noNaN: true }),
  denoise: fc.constantFrom('stream', 'sequential'),
  frameBufferSize: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  drift: fc.constantFrom(0, 0.1),
  prompt: fc.double({ min: -1, max: 1, noNaN: true }),
});

test('any mixture of sessions, coming and going at any time, gets the same results together as alone', () => {
  const anySession = fc.record({
    options: anyOptions,
    frames: fc.integer({ min: 1, max: 8 }),
    joins: fc.integer({ min: 0, max: 12 }),
    leaves: fc.option(fc.integer({ min: 1, max: 12 })),
  });
  fc.assert(
    fc.property(
      fc.array(anySession, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 12 }),
      (specs, budget) => {
        const batcher = new Batcher<Session>();
        const sessions = specs.map(({ options, frames }) => new Session(options, frames));
        const present = (turn: number): Session[] =>
          sessions.filter((_, i) => {
            const { joins, leaves } = specs[i];
            return turn >= joins && (leaves === null || turn < joins + leaves);
          });
        for (let turn = 0; turn < 400; turn++) {
          call(batcher, present(turn), budget);
        }
        for (const [i, { options, frames, leaves }] of specs.entries()) {
          const alone = new Session(options, frames);
          const own = new Batcher<Session>();
          while (!alone.done) call(own, [alone], 64);
          const together = sessions[i];
          if (leaves === null) assert.equal(together.out.size, frames, 'every frame came out');
          for (const [frame, latent] of together.out) {
            assert.ok(relativeError(latent, alone.out.get(frame)!) <= 1e-5, `session ${i}, frame ${frame}`);
          }
        }
      },
    ),
    { numRuns: cases(150) },
  );
});

test('sessions with frames waiting get equal shares of rows over a window, whatever their settings', () => {
  fc.assert(
    fc.property(
      fc.array(anyOptions, { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 2 }),
      (all, budget) => {
        const batcher = new Batcher<Session>();
        const sessions = all.map((options) => new Session(options));
        for (let turn = 0; turn < 600; turn++) call(batcher, sessions, budget);
        const rows = sessions.map((session) => total(session.rows));
        const mean = total(rows) / rows.length;
        for (const own of rows) assert.ok(Math.abs(own - mean) <= 2 * sessions.length, rows.join(' '));
      },
    ),
    { numRuns: cases(60) },
  );
});

test('a session with ten steps does not starve one with one step', () => {
  for (const budget of [1, 4, 8]) {
    const batcher = new Batcher<Session>();
    const heavy = new Session({ t_index_list: [0, 5, 10, 15, 20, 25, 30, 35, 40, 45], cfgType: 'full' });
    const light = new Session({ t_index_list: [32] });
    for (let turn = 0; turn < 300; turn++) call(batcher, [heavy, light], budget);
    // With room for both in a call, the light one gets a frame in each call; with less, half of the rows.
    const share = total(light.rows) / (total(light.rows) + total(heavy.rows));
    const frames = light.out.size / 300;
    assert.ok(
      frames === 1 || Math.abs(share - 0.5) < 0.02,
      `budget ${budget}: ${frames} frames a call, ${share}`,
    );
  }
});

test('an idle session gets no burst later, and one that joins late gets its share at once', () => {
  const batcher = new Batcher<Session>();
  const a = new Session({ t_index_list: [32] });
  const b = new Session({ t_index_list: [32] });
  for (let turn = 0; turn < 100; turn++) call(batcher, [a], 1);
  const before = a.rows.length;
  for (let turn = 0; turn < 20; turn++) call(batcher, [a, b], 1);
  assert.ok(Math.abs(b.rows.length - 10) <= 1);
  assert.ok(Math.abs(a.rows.length - before - 10) <= 1);
});

test('calls stay within the budget, and hold only rows of one key', () => {
  const batcher = new Batcher<Session>();
  const small = [1, 2, 3].map(() => new Session({ cfgType: 'full', t_index_list: [32] }, Infinity, 'small'));
  const large = [1, 2].map(() => new Session({ t_index_list: [32] }, Infinity, 'large'));
  for (let turn = 0; turn < 100; turn++) {
    const sharing = new Set<string>();
    for (const { source } of batcher.gather([...small, ...large], 4)) sharing.add(source.key);
    assert.equal(sharing.size, 1);
    assert.ok(call(batcher, [...small, ...large], 4) <= 4);
  }
  const rows = [...small, ...large].map((session) => total(session.rows));
  assert.ok(Math.min(...rows) > 0);
});

test('a lane of two rows goes out even at a budget of one', () => {
  const batcher = new Batcher<Session>();
  const session = new Session({ cfgType: 'full', t_index_list: [32] });
  assert.equal(call(batcher, [session], 1), 2);
  assert.deepEqual(batcher.gather([], 4), []);
});

test('expensive rows are fewer: shares are equal in cost, pictures included', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          steps: fc.integer({ min: 1, max: 4 }),
          rowCost: fc.double({ min: 0.25, max: 16, noNaN: true }),
          pictureCost: fc.double({ min: 0, max: 4, noNaN: true }),
        }),
        { minLength: 2, maxLength: 6 },
      ),
      fc.integer({ min: 1, max: 8 }),
      (specs, budget) => {
        const batcher = new Batcher<Session>();
        const sessions = specs.map(({ steps, rowCost, pictureCost }, i) => {
          const t_index_list = Array.from({ length: steps }, (_, step) => 10 * step);
          const session = new Session({ t_index_list, denoise: 'sequential' }, Infinity, `kind ${i}`);
          return Object.assign(session, { rowCost, pictureCost });
        });
        for (let turn = 0; turn < 1500; turn++) call(batcher, sessions, budget);
        const costs = sessions.map(
          ({ rows, rowCost, pictureCost, stream }) => total(rows) * rowCost + stream.ordinal * pictureCost,
        );
        const largest = Math.max(...specs.map(({ rowCost, pictureCost }) => rowCost + pictureCost));
        assert.ok(Math.max(...costs) - Math.min(...costs) <= 3 * largest, costs.join(' '));
      },
    ),
    { numRuns: cases(40) },
  );
});

test('streams of one account share what one stream would get, and take turns', () => {
  const batcher = new Batcher<Session>();
  const images = [1, 2, 3, 4].map(() =>
    Object.assign(new Session({ t_index_list: [32] }), { account: 'images' }),
  );
  const own = new Session({ t_index_list: [32] });
  for (let turn = 0; turn < 400; turn++) call(batcher, [...images, own], 1);
  assert.ok(Math.abs(own.out.size - 200) <= 2, `${own.out.size}`);
  for (const image of images) assert.ok(Math.abs(image.out.size - 50) <= 2, `${image.out.size}`);
});

test('an endless sequence of streams with one frame each starves no other stream', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (present, budget, shared) => {
        const batcher = new Batcher<Session>();
        const bystander = new Session({ t_index_list: [32] });
        let newcomers: Session[] = [];
        for (let turn = 0; turn < 300; turn++) {
          for (const gone of newcomers.filter(({ done }) => done)) batcher.remove(gone);
          newcomers = newcomers.filter(({ done }) => !done);
          while (newcomers.length < present) {
            const account = shared ? 'images' : undefined;
            newcomers.push(Object.assign(new Session({ t_index_list: [32] }, 1), { account }));
          }
          call(batcher, [...newcomers, bystander], budget);
        }
        const claimants = shared ? 2 : present + 1;
        // A frame that leaves makes room for the next in the same stream only at the next call.
        const share = Math.min(300, (300 * budget) / claimants);
        assert.ok(bystander.out.size >= 0.9 * share - 3, `${bystander.out.size} of ${share}`);
      },
    ),
  );
});

test('a call holds fewer rows if they are expensive', () => {
  const batcher = new Batcher<Session>();
  const sessions = [1, 2, 3, 4, 5, 6].map(() =>
    Object.assign(new Session({ t_index_list: [32] }), { rowCost: 4 }),
  );
  const rowsOf = (mostCost: number): number =>
    total(batcher.gather(sessions, 8, mostCost).map(({ lanes, entries }) => lanes.length + entries));
  assert.equal(rowsOf(Infinity), 6);
  assert.equal(rowsOf(11), 2);
  assert.equal(rowsOf(1), 1, 'one still goes out');
});
