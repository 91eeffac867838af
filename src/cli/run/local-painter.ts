import { parameterSchemasFor } from '@millrace/protocol';
import { createEngines, engineSettings } from '../../engine/host/engine-group.js';
import { partNames } from '../../engine/model-part.js';
import { readModelFolder } from '../../model/folder.js';
import { createParameterRules } from '../../session/live/parameter-rules.js';
import type { Settings } from '../../settings/settings.js';
import { rejection } from '../interruptible.js';
import { findModel } from '../model-source.js';
import type { Painter, PainterObserver } from './painter.js';
import { readStyleImage } from './style-image.js';

/** Opens a model of this machine; its engine begins to load with `start`. @throws {ModelError | PullError} */
export async function openLocalPainter(
  settings: Settings,
  { onWait, onNote, onFlagged }: PainterObserver,
  signal: AbortSignal,
): Promise<Painter> {
  const folder = await findModel(settings.model, signal);
  const model = await readModelFolder(folder);
  const rules = createParameterRules(model);
  const { width, height } = parameterSchemasFor(model);
  const engine = createEngines({
    model: folder,
    ...engineSettings(settings),
    observer: {
      onState: (state) => 'what' in state && onWait(`${state.what}...`),
      // `doctor` tells what the device and the files of the model are like.
      onNote: () => {},
      onEvent(event) {
        if (event.type === 'not_finite')
          onNote(`the ${partNames[event.part]} computed NaN or infinite values`);
        if (event.type === 'flagged') onFlagged();
      },
    },
  });
  return {
    defaults: rules.defaults,
    width,
    height,
    controls: rules.controls,
    check: (update) => rules.check(update),
    readStyleImage: (file) => readStyleImage(file, model.styleImageSide),
    start: () => Promise.race([engine.start(), rejection(signal)]),
    openStream: (...given) => engine.openStream(...given),
    allocate: (bytes) => engine.allocate(bytes),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
