import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHubId } from '../../../src/model/hub/hub-id.js';
import type { HubSettings } from '../../../src/model/hub/hub-settings.js';
import { PullError } from '../../../src/model/hub/pull-error.js';
import { pullModel } from '../../../src/model/hub/pull-model.js';
import type { PullObserver } from '../../../src/model/hub/snapshot-fill.js';
import { tinyModel } from '../../support/engine.js';
import { HubServer } from '../../support/hub-server.js';

/** A hub with a model, the tiny one if none is named, and an empty cache. */
export class PullRig implements AsyncDisposable {
  hub: HubServer;
  readonly cache: string;
  readonly notes: string[] = [];
  /** What was told of the progress. */
  readonly progress: { readonly done: number; readonly total: number; readonly path: string }[] = [];
  readonly #model: string;

  private constructor(hub: HubServer, cache: string, model: string) {
    this.hub = hub;
    this.cache = cache;
    this.#model = model;
  }

  static async start(model = tinyModel): Promise<PullRig> {
    const cache = await mkdtemp(join(tmpdir(), 'millrace-hub-'));
    return new PullRig(await HubServer.start(model), cache, model);
  }

  /** The model's folder in the cache. */
  get root(): string {
    return join(this.cache, 'models--studio--tiny');
  }

  /** A hub that remembers nothing, in place of the old one. */
  async restart(): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    this.hub = await HubServer.start(this.#model);
  }

  pull(
    id = this.hub.repo,
    changes: Partial<HubSettings> = {},
    signal = new AbortController().signal,
  ): Promise<string> {
    const settings: HubSettings = {
      endpoint: this.hub.url,
      cache: this.cache,
      token: null,
      offline: false,
      timeout: 2000,
      retryDelay: 1,
      ...changes,
    };
    const observer: PullObserver = {
      onNote: (text) => this.notes.push(text),
      onBytes: (done, total, path) => this.progress.push({ done, total, path }),
      onFile: () => {},
    };
    return pullModel(parseHubId(id), { settings, signal, observer });
  }

  /** No file that looks whole and is not, and no snapshot that looks like a model and is none. */
  async assertNothingHalf(): Promise<void> {
    const blobs = await readdir(join(this.root, 'blobs')).catch(() => []);
    for (const blob of blobs.filter((name) => !name.endsWith('.incomplete'))) {
      const { size } = await stat(join(this.root, 'blobs', blob));
      assert.equal(size, this.hub.sizes.get(blob), blob);
    }
    await assert.rejects(stat(join(this.root, 'snapshots', this.hub.commit, 'model_index.json')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    await rm(this.cache, { recursive: true });
  }
}

/** It must fail with one line of this form. */
export async function assertFails(pulling: Promise<string>, message: RegExp): Promise<void> {
  await assert.rejects(pulling, (error) => {
    assert.ok(error instanceof PullError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}
