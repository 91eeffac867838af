import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Batcher, type RowSource } from '../../src/diffusion/batcher.js';
import type { Lane, Row, Stream } from '../../src/diffusion/stream.js';
import { repositoryRoot } from '../support/reference.js';
import { predict as unetRow } from './fake-unet.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';

/** The latents of pictures are numbered. */
const encode = frameLatent;
const decode = (latent: Float32Array): Float32Array => latent.slice();
const unet = (rows: readonly Row[]): Float32Array[] => rows.map(unetRow);

class User implements RowSource {
  readonly key = 'all alike';
  readonly stream: Stream;
  readonly shown = new Map<number, Float32Array>();
  readonly waiting: number[] = [];

  constructor(options: StreamOptions) {
    this.stream = createStream(options);
  }

  lanes(): readonly Lane[] {
    return this.stream.lanes();
  }

  entries(): readonly number[] {
    return this.waiting.slice(0, this.stream.room()).map(() => this.stream.entryRows);
  }

  show(frame: number, picture: Float32Array): void {
    this.shown.set(frame, picture);
  }
}

function turn(users: readonly User[], batcher: Batcher<User>, rowBudget: number): void {
  const lanes: { user: User; lane: Lane }[] = [];
  // Fair, and no more rows than a call should hold.
  for (const { source: user, lanes: underWay, entries } of batcher.gather(users, rowBudget)) {
    for (const lane of underWay) lanes.push({ user, lane });
    // Frames enter, noised to the first stage. From here on each carries everything that it needs.
    for (const frame of user.waiting.splice(0, entries)) {
      lanes.push({ user, lane: user.stream.admit(frame, encode(frame)) });
    }
  }
  // One call for the rows of all streams.
  const predictions = unet(lanes.flatMap(({ lane }) => lane.rows));
  for (const { user, lane } of lanes) {
    // Applies guidance and one step of the solver: the frame advances a stage, or is finished.
    const latent = user.stream.absorb(lane, predictions.splice(0, lane.rows.length));
    if (latent) user.show(lane.frame, decode(latent));
  }
}

it('the loop of the README gives each stream what it would get alone', () => {
  const options: readonly StreamOptions[] = [
    { t_index_list: [0, 16, 32, 45] },
    { t_index_list: [10, 30], cfgType: 'full' },
  ];
  const film = (users: readonly User[]): void => {
    const batcher = new Batcher<User>();
    for (const user of users) for (let frame = 0; frame < 5; frame++) user.waiting.push(frame);
    for (let i = 0; i < 60; i++) turn(users, batcher, 4);
  };
  const together = options.map((option) => new User(option));
  film(together);
  for (const [i, option] of options.entries()) {
    const alone = new User(option);
    film([alone]);
    assert.deepEqual([...alone.shown.keys()], [0, 1, 2, 3, 4]);
    assert.deepEqual(together[i]?.shown, alone.shown);
  }
});

it('the README shows that loop', () => {
  const here = readFileSync(join(repositoryRoot, 'test/diffusion/readme.test.ts'), 'utf8');
  const [loop = ''] = /^function turn[\s\S]*?^\}$/m.exec(here) ?? [];
  const readme = readFileSync(join(repositoryRoot, 'src/diffusion/README.md'), 'utf8');
  assert.ok(loop.length > 500 && readme.includes(loop));
});
