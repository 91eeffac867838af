import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineEvent, GeneratedImage } from '../../src/engine/engine.js';
import { ModelCopy } from '../model/model-copy.js';
import { RecordedStream, startEngine, testImage, tinyModel, tinyParameters } from '../support/engine.js';
import { classifierGraph, writeSafetyChecker } from '../support/safety-model.js';

const parameters = tinyParameters({ t_index_list: [30] });

/** A stream that also records which results were flagged. */
class GuardedStream extends RecordedStream {
  readonly flagged: (boolean | undefined)[] = [];

  override onResult(frame: number, image: GeneratedImage): Promise<void> {
    this.flagged.push(image.flagged);
    return super.onResult(frame, image);
  }
}

/** Draws three frames of a file with this checker and setting. */
async function draw(
  config: object,
  options: { readonly safetyChecker?: 'on' | 'off' },
): Promise<{
  readonly results: readonly Uint8Array[];
  readonly flagged: readonly unknown[];
  readonly counted: number;
}> {
  await using copy = await ModelCopy.create(tinyModel);
  // Whatever the picture is, its probability is above one half: all means are positive.
  await writeSafetyChecker(copy.folder, classifierGraph(1, { weights: [1, 1, 1] }).graph, config);
  const events: EngineEvent[] = [];
  const observer = {
    onState: () => {},
    onNote: () => {},
    onEvent: (event: EngineEvent) => events.push(event),
  };
  await using run = await startEngine(copy.folder, { ...options, observer });
  const recorded = new GuardedStream();
  const stream = await run.engine.openStream(parameters, recorded);
  for (let frame = 0; frame < 3; frame++) {
    stream.push(frame, { image: testImage(frame, parameters) }, { replace: false });
  }
  await recorded.until(() => recorded.answered === 3);
  stream.close();
  const counted = events.filter(({ type }) => type === 'flagged').length;
  return { results: [...recorded.results.values()], flagged: recorded.flagged, counted };
}

const black = { image_size: 8, image_mean: [0, 0, 0], image_std: [1, 1, 1] };

describe('the safety checker of a model', () => {
  it('blurs what it flags if the operator or the model turns it on', async () => {
    const off = await draw(black, {});
    assert.deepEqual([off.flagged, off.counted], [[false, false, false], 0]);
    const on = await draw(black, { safetyChecker: 'on' });
    assert.deepEqual([on.flagged, on.counted], [[true, true, true], 3]);
    on.results.forEach((result, i) => assert.notDeepEqual(result, off.results[i]));
    const byModel = await draw({ ...black, enabled: true }, {});
    assert.deepEqual(byModel, on);
    assert.deepEqual(await draw({ ...black, enabled: true }, { safetyChecker: 'off' }), off);
  });

  it('leaves what it does not flag', async () => {
    const off = await draw(black, { safetyChecker: 'off' });
    const lenient = await draw({ ...black, threshold: 1 }, { safetyChecker: 'on' });
    assert.deepEqual(lenient, off);
  });
});

it('a model without a safety checker cannot be served with one', async () => {
  await assert.rejects(
    startEngine(tinyModel, { safetyChecker: 'on' }),
    /safety_checker.config\.json: no such file/,
  );
});
