import type { Logger } from 'pino';
import { deferred } from './engine/deferred.js';
import type { EngineEvent, EngineObserver, EngineState, InferenceCall } from './engine/engine.js';
import { partNames, type ModelPart } from './engine/model-part.js';
import type { Metrics } from './metrics/metrics.js';
import type { Admission } from './session/admission/admission.js';
import type { Capacity } from './session/admission/capacity.js';

export interface EngineReportsOptions {
  readonly metrics: Metrics;
  readonly capacity: Capacity;
  readonly admission: Admission;
  readonly log: Logger;
}

/** Minimum time between two log lines about one part of the model: a line for every frame would hide all others. */
const faultLogIntervalMs = 60_000;

/** Logs and counts what the engine reports, and adapts the number of slots to it. */
export class EngineReports implements EngineObserver {
  readonly #options: EngineReportsOptions;
  readonly #failed = deferred<Error>();
  #hanging = false;
  /** The last line about the engine's state. */
  #lastState = '';
  /** When a fault of each part was last logged, by `performance.now()`. */
  readonly #faults = new Map<ModelPart, number>();

  constructor(options: EngineReportsOptions) {
    this.#options = options;
  }

  /** Settles when the engine has failed for good. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** Whether the engine was abandoned in a call that cannot be interrupted. */
  get hanging(): boolean {
    return this.#hanging;
  }

  onState(state: EngineState): void {
    const { metrics, capacity, admission, log } = this.#options;
    const { name: engine } = state;
    metrics.engineState(engine);
    if (state.name === 'ready') {
      metrics.engineReady(state.device);
      capacity.calibrated(state);
      this.#showCapacity();
    }
    admission.poke();
    const doing = 'what' in state ? state.what : undefined;
    const device = 'device' in state ? state.device : undefined;
    // A task with many parts reports each, since a silent thread is ended; in the log it is one line.
    const line = `engine: ${doing ?? engine}`;
    if (line !== this.#lastState) log.info({ engine, doing, device }, line);
    this.#lastState = line;
    if (state.name === 'failed') this.#failed.resolve(state.error);
  }

  onNote(note: string): void {
    this.#options.log.info(note);
  }

  onRestart(): void {
    this.#options.metrics.engineRestarted();
  }

  onHang(): void {
    this.#hanging = true;
  }

  onEvent(event: EngineEvent): void {
    switch (event.type) {
      case 'inference':
        return this.#reportCall(event);
      case 'embedding':
        return this.#options.metrics.embedding(event);
      case 'not_finite':
        return this.#reportFault(event.part);
      case 'flagged':
        return this.#options.metrics.flagged();
    }
  }

  #reportCall(call: InferenceCall): void {
    const { metrics, capacity, admission } = this.#options;
    metrics.inference(call);
    if (capacity.observe(call)) this.#showCapacity();
    // Faster frames, and sessions that ask for less, make room.
    if (admission.waiting > 0) admission.poke();
  }

  #reportFault(part: ModelPart): void {
    const { metrics, log } = this.#options;
    metrics.notFinite(part);
    const now = performance.now();
    if (now - (this.#faults.get(part) ?? -Infinity) < faultLogIntervalMs) return;
    this.#faults.set(part, now);
    log.error({ part }, `the ${partNames[part]} computed NaN or infinite values`);
  }

  #showCapacity(): void {
    const { metrics, capacity } = this.#options;
    metrics.capacity(capacity.rowsPerSecond);
  }
}
