import type { StreamParameters } from '@millrace/protocol';
import type { Image } from '../../../image/image.js';
import { readSafetyChecker, type SafetySetting } from '../../../model/layout/safety-checker.js';
import type { FromWorker } from '../../messages.js';
import { Blur } from '../networks/blur.js';
import type { RuntimeOptions } from '../networks/runtime.js';
import { SafetyChecker } from '../networks/safety-checker.js';
import { Resources } from '../networks/resources.js';
import type { LiveStream } from './live-stream.js';

type Blurring = Pick<Blur, 'apply'> & AsyncDisposable;
type Checker = Pick<SafetyChecker, 'probabilities' | 'isFlagged'> & AsyncDisposable;

export interface SafetyGuardOptions extends Required<RuntimeOptions> {
  readonly setting: SafetySetting | undefined;
  readonly post: (message: FromWorker) => void;
  readonly onProgress: (what: string) => void;
}

/** Charges milliseconds of work for a stream to its share. */
type Charge = (stream: LiveStream, ms: number) => void;

/** What the checker said of the last results of a stream. */
interface Verdict {
  readonly flagged: boolean;
  /** When it was reached, by `performance.now()`. */
  readonly at: number;
  readonly parameters: StreamParameters;
}

/** Milliseconds for which a verdict says something about the next result: a camera shows something else by then. */
const validMs = 1000;

/**
 * Blurs results that the safety checker flags. The verdict on results of a live stream decides on the next ones, so
 * that none waits for it, and results of several streams are checked in one call. What has no next one (a file, an
 * image) and what has no valid verdict before it (a first frame, also after a pause or a change of parameters) is
 * checked before it leaves.
 */
export class SafetyGuard implements AsyncDisposable {
  readonly #checker: Checker;
  readonly #blur: Blurring;
  readonly #post: (message: FromWorker) => void;
  /** The last verdict on each stream. */
  readonly #verdicts = new Map<LiveStream, Verdict>();
  /** Copies of results that have left without a verdict. */
  readonly #unchecked = new Map<LiveStream, Image[]>();

  constructor(checker: Checker, blur: Blurring, post: (message: FromWorker) => void) {
    this.#checker = checker;
    this.#blur = blur;
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
    await using loaded = new Resources();
    const checker = loaded.use(await SafetyChecker.load(layout, options));
    const guard = new SafetyGuard(checker, await Blur.load(options.threads), options.post);
    loaded.move();
    return guard;
  }

  /** Blurs a result that is about to leave if it must not be shown. @returns whether it did. */
  async guard(stream: LiveStream, result: Image, charge: Charge): Promise<boolean> {
    if (!stream.denoise.isLive || !this.#hasVerdict(stream)) {
      await this.#check(new Map([[stream, [result]]]), charge);
    } else {
      const copy = { ...result, data: result.data.slice() };
      this.#unchecked.set(stream, [...(this.#unchecked.get(stream) ?? []), copy]);
    }
    if (this.#verdicts.get(stream)?.flagged !== true) return false;
    await this.#blur.apply(result);
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
    this.#verdicts.delete(stream);
    this.#unchecked.delete(stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#blur[Symbol.asyncDispose]();
    await this.#checker[Symbol.asyncDispose]();
  }

  /** Returns whether the last verdict on a stream decides on its next result. */
  #hasVerdict(stream: LiveStream): boolean {
    const verdict = this.#verdicts.get(stream);
    return verdict?.parameters === stream.parameters && performance.now() - verdict.at < validMs;
  }

  async #check(results: ReadonlyMap<LiveStream, readonly Image[]>, charge: Charge): Promise<void> {
    const images = [...results.values()].flat();
    const start = performance.now();
    const probabilities = await this.#checker.probabilities(images);
    const at = performance.now();
    let first = 0;
    for (const [stream, { length }] of results) {
      const own = Array.from({ length }, (_, i) => probabilities[first + i] ?? NaN);
      first += length;
      if (!own.every(Number.isFinite)) this.#post({ type: 'not_finite', part: 'safety_checker' });
      const flagged = own.some((probability) => this.#checker.isFlagged(probability));
      this.#verdicts.set(stream, { flagged, at, parameters: stream.parameters });
      charge(stream, ((at - start) * length) / images.length);
    }
  }
}
