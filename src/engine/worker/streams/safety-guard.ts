import type { Image } from '../../../image/image.js';
import { readSafetyChecker, type SafetySetting } from '../../../model/layout/safety-checker.js';
import type { FromWorker } from '../../messages.js';
import { blur } from '../networks/blur.js';
import type { RuntimeOptions } from '../networks/runtime.js';
import { SafetyChecker } from '../networks/safety-checker.js';
import type { LiveStream } from './live-stream.js';

type Checker = Pick<SafetyChecker, 'probabilities' | 'isFlagged'> & AsyncDisposable;

export interface SafetyGuardOptions extends Required<RuntimeOptions> {
  readonly setting: SafetySetting | undefined;
  readonly post: (message: FromWorker) => void;
  readonly onProgress: (what: string) => void;
}

/** Charges milliseconds of work for a stream to its share. */
type Charge = (stream: LiveStream, ms: number) => void;

/**
 * Blurs results that the safety checker flags. The verdict on a result of a live stream decides on the next one, so
 * that none waits for it, and results of several streams are checked in one call. What has no next one (a file, an
 * image) and what has no verdict before it (a first frame) is checked before it leaves.
 */
export class SafetyGuard implements AsyncDisposable {
  readonly #checker: Checker;
  readonly #post: (message: FromWorker) => void;
  /** The last verdict on each stream. */
  readonly #flagged = new Map<LiveStream, boolean>();
  /** Copies of results that have left without a verdict, the newest of each stream. */
  readonly #unchecked = new Map<LiveStream, Image>();

  constructor(checker: Checker, post: (message: FromWorker) => void) {
    this.#checker = checker;
    this.#post = post;
  }

  /**
   * Loads the safety checker of a model folder. @returns null if nothing turns it on.
   * @throws {ModelError} if it cannot be used.
   */
  static async load(root: string, options: SafetyGuardOptions): Promise<SafetyGuard | null> {
    const layout = await readSafetyChecker(root, options.setting ?? 'auto');
    if (layout === null) return null;
    options.onProgress('loading the safety checker');
    return new SafetyGuard(await SafetyChecker.load(layout, options), options.post);
  }

  /** Blurs a result that is about to leave if it must not be shown. @returns whether it did. */
  async guard(stream: LiveStream, result: Image, charge: Charge): Promise<boolean> {
    if (!stream.denoise.isLive || !this.#flagged.has(stream)) {
      await this.#check(new Map([[stream, result]]), charge);
    } else this.#unchecked.set(stream, { ...result, data: result.data.slice() });
    if (this.#flagged.get(stream) !== true) return false;
    blur(result);
    this.#post({ type: 'flagged' });
    return true;
  }

  /** Checks the results that have left since the last time. */
  async checkRest(charge: Charge): Promise<void> {
    if (this.#unchecked.size === 0) return;
    await this.#check(this.#unchecked, charge);
    this.#unchecked.clear();
  }

  /** Forgets a stream that has ended. */
  remove(stream: LiveStream): void {
    this.#flagged.delete(stream);
    this.#unchecked.delete(stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checker[Symbol.asyncDispose]();
  }

  async #check(results: ReadonlyMap<LiveStream, Image>, charge: Charge): Promise<void> {
    const start = performance.now();
    const probabilities = await this.#checker.probabilities([...results.values()]);
    const ms = (performance.now() - start) / results.size;
    [...results.keys()].forEach((stream, i) => {
      const probability = probabilities[i] ?? NaN;
      if (!Number.isFinite(probability)) this.#post({ type: 'not_finite', part: 'safety_checker' });
      this.#flagged.set(stream, this.#checker.isFlagged(probability));
      charge(stream, ms);
    });
  }
}
