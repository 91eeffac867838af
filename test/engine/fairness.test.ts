import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/host/supervisor.js';
import { keptCosts, RecordedStream, testImage, tinyModel, tinyParameters } from '../support/engine.js';

/** A call holds one row, so that all have to take turns. */
const kept = await keptCosts(1);

async function start(): Promise<Engine> {
  const nothing = (): void => {};
  const observer = { onState: nothing, onNote: nothing, onEvent: nothing };
  const engine = createEngine({
    model: tinyModel,
    device: 'cpu',
    threads: 1,
    ...kept,
    observer,
  });
  await engine.start();
  return engine;
}

const parameters = tinyParameters({ t_index_list: [32] });

/** Counts the frames of a stream that always has the next waiting, while `others` run. */
async function bystanderBeside(
  engine: Engine,
  others: (running: () => boolean) => Promise<number>,
): Promise<{
  readonly own: number;
  readonly theirs: number;
}> {
  const bystander = await RecordedStream.open(engine, parameters);
  let running = true;
  const theirs = others(() => running);
  const frames = 40;
  for (let frame = 0; frame < frames; frame++) {
    bystander.stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  }
  await bystander.until(() => bystander.results.has(frames - 1));
  running = false;
  bystander.stream.close();
  return { own: frames, theirs: await theirs };
}

describe('a stream that always has a frame waiting', () => {
  it('gets its share beside an endless sequence of streams with one frame each', async () => {
    await using engine = await start();
    const { own, theirs } = await bystanderBeside(engine, async (running) => {
      let made = 0;
      const loop = async (): Promise<void> => {
        while (running()) {
          const one = await RecordedStream.open(engine, parameters);
          one.stream.push(0, { image: testImage(0, parameters) }, { replace: false });
          await one.until(() => one.results.has(0));
          one.stream.close();
          if (running()) made += 1;
        }
      };
      await Promise.all([loop(), loop(), loop()]);
      return made;
    });
    assert.ok(own >= 0.8 * ((own + theirs) / 4), `${own} beside ${theirs}`);
  });

  it('gets half of the time beside any number of streams of one account', async () => {
    await using engine = await start();
    const { own, theirs } = await bystanderBeside(engine, async (running) => {
      let made = 0;
      const loop = async (): Promise<void> => {
        while (running()) {
          const one = await RecordedStream.open(engine, parameters, { account: 'images' });
          one.stream.push(0, { image: testImage(0, parameters) }, { replace: false });
          await one.until(() => one.results.has(0));
          one.stream.close();
          if (running()) made += 1;
        }
      };
      await Promise.all([loop(), loop(), loop(), loop(), loop(), loop(), loop(), loop()]);
      return made;
    });
    assert.ok(own >= 0.8 * ((own + theirs) / 2), `${own} beside ${theirs}`);
  });

  it('continues beside one that changes its prompt all the time', async () => {
    await using engine = await start();
    const { own } = await bystanderBeside(engine, async (running) => {
      const restless = await RecordedStream.open(engine, parameters);
      let changes = 0;
      while (running()) {
        const batch = Array.from({ length: 20 }, () =>
          restless.stream.configure({ ...parameters, prompt: `prompt ${changes++}` }),
        );
        await Promise.allSettled(batch);
      }
      restless.stream.close();
      return changes;
    });
    assert.equal(own, 40);
  });
});
