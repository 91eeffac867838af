import { tinyModel } from '../support/engine.js';
import { conversionFigures } from './pixels/conversions.js';
import { sceneFigures } from './pixels/scenes.js';
import { report } from './report.js';

/**
 * What a frame of 512x512 takes of the inference thread besides the calls of the device: `npm run bench -- pixels`. While
 * that runs, the device waits; it computes nothing here, so any model will do. Linux only.
 */
const side = 512;
// V8 compiles what runs often; a server that has run for a few minutes is the question.
const scenes = { model: tinyModel, side, frames: 500, warmUp: 6000 };
report('pixels, milliseconds of the inference thread a frame', [
  ...conversionFigures(side, 50),
  ...(await sceneFigures(scenes)),
]);
