import type { StreamParameters } from '@millrace/protocol';
import { asError } from '../as-error.js';
import { BufferPool } from '../buffer-pool.js';
import { deferred } from '../deferred.js';
import { parseDevice, type Provider } from '../device.js';
import type {
  Engine,
  EngineObserver,
  EngineState,
  EngineStream,
  OpenOptions,
  StreamListener,
} from '../engine.js';
import { Deaths } from './deaths.js';
import { ManagedStream } from './managed-stream.js';
import type { FromWorker, WorkerOptions } from '../messages.js';
import { WorkerHost } from './worker-host.js';

export interface EngineOptions extends WorkerOptions {
  readonly observer: EngineObserver;
  /** Frame buffers, if shared with other engines. */
  readonly pixels?: BufferPool;
  /** Longest silence of the worker while it starts. The default depends on the device. */
  readonly startTimeoutMs?: number;
  /** Longest wait of a stop for the current inference call. Default: 30 seconds. */
  readonly stopTimeoutMs?: number;
  /**
   * Called once for each stream of `openStream` that has ended or was refused; not for those that a failed or stopped
   * engine did not open.
   */
  readonly onStreamEnd?: () => void;
  /** Code of the worker, for tests that need a worker that fails. */
  readonly workerFile?: URL;
}

const restartDelayMs = 100;
/** Loading may compile for the device in one call: minutes for large models, much longer for TensorRT. */
const startTimeoutsMs: Partial<Readonly<Record<Provider, number>>> = { cpu: 120_000, tensorrt: 3_600_000 };
const defaultStartTimeoutMs = 600_000;

/**
 * Creates an engine in a worker thread, which is restarted when it dies.
 * @throws {DeviceError} if the device is unknown; one that does not work fails the start.
 */
export function createEngine(options: EngineOptions): Engine {
  return new Supervisor(options);
}

class Supervisor implements Engine {
  readonly #options: EngineOptions;
  readonly #streams = new Map<number, ManagedStream>();
  /** Returned buffers of input frames. */
  readonly #pixels: BufferPool;
  readonly #startTimeoutMs: number;
  readonly #reported = new Set<string>();
  #state: EngineState = { name: 'starting', what: 'starting the inference thread' };
  #host: WorkerHost | null = null;
  readonly #deaths = new Deaths();
  #restart: NodeJS.Timeout | undefined;
  #nextStream = 0;
  /** Settles when the engine is ready or has failed or stopped. */
  readonly #settled = deferred<void>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#startTimeoutMs = startTimeoutsMs[parseDevice(options.device).provider] ?? defaultStartTimeoutMs;
    this.#pixels = options.pixels ?? new BufferPool(16);
  }

  get state(): EngineState {
    return this.#state;
  }

  start(): Promise<void> {
    if (this.#host === null && this.#state.name === 'starting') {
      this.#setState(this.#state);
      this.#spawn();
    }
    return this.#settled.promise;
  }

  async openStream(
    parameters: StreamParameters,
    listener: StreamListener,
    { state, account }: OpenOptions = {},
  ): Promise<EngineStream> {
    await this.#settled.promise;
    if (this.#state.name === 'failed') throw this.#state.error;
    if (this.#state.name === 'stopped') throw new Error('the engine is stopped');
    const id = this.#nextStream++;
    const stream = new ManagedStream(
      id,
      { parameters, state: state ?? null, account: account ?? null },
      listener,
      {
        post: (message, transfer) => this.#host?.post(message, transfer),
        onClose: () => {
          this.#streams.delete(id);
          this.#options.onStreamEnd?.();
        },
      },
    );
    this.#streams.set(id, stream);
    // After a restart, all streams are opened once the worker is ready.
    if (this.#state.name === 'ready') stream.open();
    await stream.opened;
    return stream;
  }

  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#pixels.take(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state.name === 'stopped') return;
    const host = this.#host;
    this.#host = null;
    clearTimeout(this.#restart);
    this.#setState({ name: 'stopped' });
    const reason = new Error('the engine is stopped');
    this.#settled.reject(reason);
    this.#closeStreams(reason);
    await host?.stop();
  }

  /** Starts a thread; one that cannot start (no descriptors or memory) counts as dead. */
  #spawn(): void {
    try {
      this.#host = this.#createHost();
    } catch (error) {
      this.#onDeath(asError(error));
    }
  }

  #createHost(): WorkerHost {
    const { model, device, threads, cacheDirectory, precision, workerFile, stopTimeoutMs } = this.#options;
    const { calibration: asked, safetyChecker } = this.#options;
    // What the first thread measured counts for those that replace it.
    const calibration = asked === 'fresh' && this.#deaths.count > 0 ? 'auto' : asked;
    return new WorkerHost({
      file: workerFile ?? new URL('../worker/main.js', import.meta.url),
      worker: {
        model,
        device,
        threads,
        cacheDirectory,
        ...(precision && { precision }),
        ...(calibration && { calibration }),
        ...(safetyChecker && { safetyChecker }),
      },
      startTimeoutMs: this.#options.startTimeoutMs ?? this.#startTimeoutMs,
      stopTimeoutMs: stopTimeoutMs ?? 30_000,
      onMessage: (message) => this.#receive(message),
      onDeath: (error) => this.#onDeath(error),
      onHang: () => this.#options.observer.onHang?.(),
    });
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'starting':
        if (this.#state.name === 'starting' || this.#state.name === 'restarting') {
          this.#setState({ name: this.#state.name, what: message.what });
        }
        return;
      case 'note':
        if (!this.#reported.has(message.text)) this.#options.observer.onNote(message.text);
        this.#reported.add(message.text);
        return;
      case 'ready': {
        const { type: name, ...facts } = message;
        this.#setState({ name, ...facts });
        this.#deaths.workerReady();
        for (const stream of this.#streams.values()) stream.open();
        this.#settled.resolve();
        return;
      }
      case 'inference':
      case 'embedding':
      case 'not_finite':
      case 'flagged':
        return this.#options.observer.onEvent(message);
      case 'recycle':
        return this.#pixels.give(message.pixels);
      case 'failed':
      case 'stopped':
        return;
      default:
        if (this.#streams.get(message.stream)?.receive(message)) return;
        // The stream is closed, but its memory can be reused.
        if (message.type === 'result') {
          this.#host?.post({ type: 'recycle', pixels: message.pixels }, [message.pixels]);
        }
    }
  }

  #onDeath(error: Error): void {
    this.#host = null;
    if (this.#state.name === 'starting') return this.#fail(error);
    this.#deaths.workerDied();
    if (this.#deaths.tooMany) return this.#fail(error);
    this.#setState({ name: 'restarting', what: `restarting after: ${error.message}` });
    this.#options.observer.onRestart?.();
    for (const stream of this.#streams.values()) stream.interrupt(error);
    const delay = restartDelayMs * 2 ** (this.#deaths.count - 1);
    this.#restart = setTimeout(() => this.#spawn(), delay);
  }

  #fail(error: Error): void {
    this.#setState({ name: 'failed', error });
    this.#settled.reject(error);
    this.#closeStreams(error);
  }

  #closeStreams(reason: Error): void {
    for (const stream of this.#streams.values()) stream.abort(reason);
    this.#streams.clear();
  }

  #setState(state: EngineState): void {
    this.#state = state;
    this.#options.observer.onState(state);
  }
}
