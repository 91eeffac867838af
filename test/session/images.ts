import { OneShot, type OneShotOptions } from '../../src/session/one-shot.js';
import { pictureCodec } from '../../src/image/codec.js';
import { PictureTurns } from '../../src/session/frames/picture-turns.js';
import { StyleImages } from '../../src/session/live/style-images.js';
import { Sessions } from '../../src/session/live/sessions.js';
import { createParameterRules } from '../../src/session/live/parameter-rules.js';
import type { ManualEngine } from './manual-engine.js';

/** Returns single images from an engine that the test controls. */
export function imagesOf(engine: ManualEngine, options: Partial<OneShotOptions> = {}): OneShot {
  const rules = createParameterRules({ defaults: { width: 64, height: 64 } });
  const capacity = { checkCall: () => {} };
  const sessions = new Sessions(0, 0);
  const turns = new PictureTurns(1);
  const limits = { most: 8, perMinute: 300, framePixels: 1e6 };
  const decoding = { pictures: pictureCodec, turns };
  const styleImages = new StyleImages({ pictures: pictureCodec, turns, maxPixels: 1_000_000, side: null });
  return new OneShot({ engine, rules, sessions, capacity, styleImages, ...decoding, ...limits, ...options });
}
