import { embeddedModel } from '../support/engine.js';
import { conversionFigures } from './pixels/conversions.js';
import { sceneFigures } from './pixels/scenes.js';
import { report } from './report.js';

/**
 * What a frame of 512x512 takes of the inference thread besides the calls of the device: `npm run bench -- pixels`. While
 * that runs, the device waits. Linux only.
 */
const side = 512;
const scenes = { model: embeddedModel, side, frames: 1000, warmUp: 2000 };
report('pixels, milliseconds of the inference thread a frame', [
  ...conversionFigures(side, 50),
  ...(await sceneFigures(scenes)),
]);
