import { after } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { deferred } from '../../src/engine/deferred.js';
import type {
  Engine,
  EngineObserver,
  EngineState,
  EngineStream,
  OpenOptions,
  StreamListener,
} from '../../src/engine/engine.js';
import { createEngines, type EngineGroupOptions } from '../../src/engine/host/engine-group.js';
import { recordEngine, usualOptions, type TestEngine } from './engine.js';

/** An engine that stays when its server ends, for the next one with the same options. */
interface Pooled {
  readonly key: string;
  readonly engine: Engine;
  /** Who has it now; null while nobody does. */
  user: BorrowedEngine | null;
}

// Loading a model takes longer than most tests: the tests of this process take turns with engines.
const pool = new Set<Pooled>();
let isClosed = false;
after(async () => {
  isClosed = true;
  await Promise.all([...pool].filter(({ user }) => user === null).map(dispose));
});

/** Returns an engine with these options: one that an earlier test has given back, or else a new one. */
export function borrowEngine({ observer, ...options }: EngineGroupOptions): Engine {
  const key = JSON.stringify(options);
  const free = [...pool].find((one) => one.user === null && one.key === key);
  return new BorrowedEngine(free ?? create(key, options), observer);
}

/** Borrows an engine for one device, and starts it. */
export async function startBorrowedEngine(
  model: string,
  options: Partial<Pick<EngineGroupOptions, 'threads' | 'cacheDirectory' | 'calibration'>> = {},
): Promise<TestEngine> {
  return recordEngine((observer) =>
    borrowEngine({ ...usualOptions(model), devices: ['cpu'], ...options, observer }),
  );
}

function create(key: string, options: Omit<EngineGroupOptions, 'observer'>): Pooled {
  const engine = createEngines({
    ...options,
    observer: {
      onState: (state) => pooled.user?.observer.onState(state),
      onNote: (text) => pooled.user?.observer.onNote(text),
      onRestart: () => pooled.user?.observer.onRestart?.(),
      onHang: () => pooled.user?.observer.onHang?.(),
      onEvent: (event) => pooled.user?.observer.onEvent(event),
    },
  });
  const pooled: Pooled = { key, engine, user: null };
  pool.add(pooled);
  return pooled;
}

async function dispose(pooled: Pooled): Promise<void> {
  pool.delete(pooled);
  await pooled.engine[Symbol.asyncDispose]();
}

/** Behaves as an engine of its user's own does, but ends only its streams. */
class BorrowedEngine implements Engine {
  readonly observer: EngineObserver;
  readonly #pooled: Pooled;
  readonly #streams = new Map<EngineStream, StreamListener>();
  readonly #started = deferred<void>();
  #isStarted = false;
  #isStopped = false;

  constructor(pooled: Pooled, observer: EngineObserver) {
    this.observer = observer;
    this.#pooled = pooled;
    pooled.user = this;
  }

  get state(): EngineState {
    if (this.#isStopped) return { name: 'stopped' };
    if (!this.#isStarted) return { name: 'starting', what: 'starting the inference thread' };
    return this.#pooled.engine.state;
  }

  start(): Promise<void> {
    if (this.#isStarted || this.#isStopped) return this.#started.promise;
    const { engine } = this.#pooled;
    if (engine.state.name === 'ready') {
      this.observer.onState(this.state);
      this.#isStarted = true;
      this.observer.onState(engine.state);
    }
    this.#isStarted = true;
    engine.start().then(
      () => this.#started.resolve(),
      (error: Error) => this.#started.reject(error),
    );
    return this.#started.promise;
  }

  async openStream(
    parameters: StreamParameters,
    listener: StreamListener,
    options?: OpenOptions,
  ): Promise<EngineStream> {
    await this.#started.promise;
    if (this.#isStopped) throw new Error('the engine is stopped');
    const stream = await this.#pooled.engine.openStream(parameters, listener, options);
    const close = stream.close.bind(stream);
    stream.close = () => {
      this.#streams.delete(stream);
      close();
    };
    this.#streams.set(stream, listener);
    return stream;
  }

  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    return this.#pooled.engine.allocate(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.observer.onState({ name: 'stopped' });
    const reason = new Error('the engine is stopped');
    this.#started.reject(reason);
    this.#pooled.user = null;
    if (isClosed || this.#pooled.engine.state.name !== 'ready') return dispose(this.#pooled);
    for (const [stream, listener] of this.#streams) {
      stream.close();
      listener.onClosed(reason);
    }
  }
}
