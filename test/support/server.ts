import { pino } from 'pino';
import { createApp, type App, type AppParts } from '../../src/app.js';
import { pictureCodec } from '../../src/image/codec.js';
import { readSettings, type Settings } from '../../src/settings/settings.js';
import { borrowEngine } from './engine-pool.js';
import { embeddedModel, measuredOnce, tinyModel } from './engine.js';

/** A complete server that listens on a free port. */
export interface TestServer extends AsyncDisposable {
  readonly app: App;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly streamUrl: string;
}

/**
 * Starts the real server, with the tiny model unless `settings` name another.
 * @param createEngine by default, one that may have served an earlier server of this process.
 */
export async function startServer(
  settings: Partial<Settings> = {},
  createEngine: AppParts['createEngine'] = borrowEngine,
): Promise<TestServer> {
  const flags = {
    port: 0,
    cacheDirectory: '',
    threads: 1,
    model: tinyModel,
    drainSeconds: 0,
    sloFps: 0,
    // What a call costs depends on the load of the machine when it is measured.
    maxCallSeconds: 0,
    ...(settings.model === embeddedModel && measuredOnce),
    ...settings,
  };
  const app = await createApp(readSettings({ flags }), pino({ level: 'silent' }), {
    createEngine,
    pictures: pictureCodec,
  });
  const { port } = await app.listen();
  const url = `http://127.0.0.1:${port}`;
  return {
    app,
    url,
    streamUrl: `${url.replace('http', 'ws')}/v1/stream`,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
