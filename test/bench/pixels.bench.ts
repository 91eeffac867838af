import { tinyModel } from '../support/engine.js';
import { conversionFigures } from './pixels/conversions.js';
import { sceneFigures } from './pixels/scenes.js';
import { report } from './report.js';

/**
 * What a frame of 512x512 takes of the inference thread besides the calls of the device: `npm run bench -- pixels`. While
 * that runs, the device waits; it computes nothing here, so any model will do. Linux only.
 */
const side = 512;
const scenes = { model: tinyModel, side, frames: 500, warmUp: 1000 };
report('pixels, milliseconds of the inference thread a frame', [
  ...conversionFigures(side, 50),
  ...(await sceneFigures(scenes)),
]);
