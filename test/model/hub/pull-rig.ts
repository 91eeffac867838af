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

/** A hub with a model, by default the tiny one, and an empty cache. */
export class PullRig implements AsyncDisposable {
  hub: HubServer;
  readonly cache: string;
  readonly notes: string[] = [];
  /** All progress reports. */
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

  /** Returns the model's folder in the cache. */
  get root(): string {
    return join(this.cache, 'models--studio--tiny');
  }

  /** Replaces the hub with a fresh one. */
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

  /** Asserts that no partial file looks complete and no incomplete snapshot looks like a model. */
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

/** Asserts that it fails with a one-line message of this form. */
export async function assertFails(pulling: Promise<string>, message: RegExp): Promise<void> {
  await assert.rejects(pulling, (error) => {
    assert.ok(error instanceof PullError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}
