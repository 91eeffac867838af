import { embeddedModel } from '../support/engine.js';
import { conversionFigures } from './pixels/conversions.js';
import { sceneFigures } from './pixels/scenes.js';
import { report } from './report.js';

/**
 * What a frame of 512x512 takes of the inference thread besides ONNX Runtime: `npm run bench -- pixels`. While that runs,
 * the device waits.
 */
const side = 512;
const scenes = { model: embeddedModel, threads: 2, side, frames: 20 };
report('pixels, milliseconds a frame', [...conversionFigures(side, 50), ...(await sceneFigures(scenes))]);
