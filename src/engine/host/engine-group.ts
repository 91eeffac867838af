import type { StreamParameters } from '@millrace/protocol';
import type { SafetySetting } from '../../model/layout/safety-checker.js';
import { BufferPool } from '../buffer-pool.js';
import { combined } from '../costs.js';
import { DeviceError } from '../device.js';
import type { Engine, EngineState, EngineStream, OpenOptions, StreamListener } from '../engine.js';
import type { Calibration, Precision, WorkerOptions } from '../messages.js';
import { createEngine, type EngineOptions } from './supervisor.js';

export interface EngineGroupOptions extends Omit<EngineOptions, 'device' | 'pixels' | 'onStreamEnd'> {
  /** At least one, in the syntax of `parseDevice`; each gets an engine. */
  readonly devices: readonly string[];
}

/** Converts the settings of the server or of a command to engine options. */
export function engineSettings(settings: {
  readonly device: readonly string[];
  readonly threads: number;
  readonly precision: Precision;
  readonly calibration: Calibration;
  readonly safetyChecker: SafetySetting;
  readonly cacheDirectory: string;
}): Required<Omit<WorkerOptions, 'model' | 'device'>> & Pick<EngineGroupOptions, 'devices'> {
  const { device: devices, cacheDirectory, threads, precision, calibration, safetyChecker } = settings;
  return { devices, threads, precision, calibration, safetyChecker, cacheDirectory: cacheDirectory || null };
}

/**
 * Creates one engine per device, behind one interface: streams go to the least loaded one.
 * @throws {DeviceError} if a device is unknown; one that does not work fails the start of all.
 */
export function createEngines({ devices, ...options }: EngineGroupOptions): Engine {
  const [first, ...others] = devices;
  if (first === undefined)
    throw new DeviceError('no device is given; give at least one, such as auto or cpu');
  if (others.length === 0) return createEngine({ ...options, device: first });
  return new EngineGroup({ devices, ...options });
}

interface Member {
  readonly engine: Engine;
  streams: number;
}

class EngineGroup implements Engine {
  readonly #members: readonly Member[];
  readonly #observer: EngineGroupOptions['observer'];
  /** Frame buffers, shared by all engines. */
  readonly #pixels = new BufferPool(16);
  #state: EngineState = { name: 'starting', what: 'starting the inference threads' };
  #started: Promise<void> | undefined;

  constructor({ devices, observer, ...options }: EngineGroupOptions) {
    this.#observer = observer;
    const reported = new Set<string>();
    this.#members = devices.map((device) => {
      const own = {
        onState: (): void => this.#update(),
        onNote: (text: string): void => {
          if (!reported.has(text)) observer.onNote(text);
          reported.add(text);
        },
        onRestart: (): void => observer.onRestart?.(),
        onHang: (): void => observer.onHang?.(),
        onEvent: observer.onEvent.bind(observer),
      };
      const onStreamEnd = (): void => void (member.streams -= 1);
      const engine = createEngine({ ...options, device, observer: own, pixels: this.#pixels, onStreamEnd });
      const member: Member = { engine, streams: 0 };
      return member;
    });
  }

  get state(): EngineState {
    return this.#state;
  }

  start(): Promise<void> {
    this.#started ??= this.#startAll();
    return this.#started;
  }

  async #startAll(): Promise<void> {
    await Promise.all(this.#members.map(({ engine }) => engine.start()));
  }

  async openStream(
    parameters: StreamParameters,
    listener: StreamListener,
    options?: OpenOptions,
  ): Promise<EngineStream> {
    await this.start();
    const member = this.#leastLoaded();
    // Counted before it is open: another may be opened meanwhile.
    member.streams += 1;
    return member.engine.openStream(parameters, listener, options);
  }

  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#pixels.take(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ engine }) => engine[Symbol.asyncDispose]()));
  }

  /** Returns the member with the lowest load after one more stream: streams times the cost of a row. */
  #leastLoaded(): Member {
    // A restarting engine will open the stream later; a failed one never will.
    const load = ({ engine, streams }: Member): number => {
      const { state } = engine;
      if (state.name === 'ready') return (streams + 1) * (state.costs[0]?.ms ?? 1);
      return state.name === 'failed' || state.name === 'stopped' ? Infinity : Number.MAX_VALUE;
    };
    return this.#members.reduce((least, member) => (load(member) < load(least) ? member : least));
  }

  #update(): void {
    const state = this.#combined();
    if (state.name === this.#state.name && describe(state) === describe(this.#state)) return;
    this.#state = state;
    this.#observer.onState(state);
  }

  /** Returns "ready" once all have been ready, and from then on while at least one is. */
  #combined(): EngineState {
    if (this.#state.name === 'failed' || this.#state.name === 'stopped') return this.#state;
    const states = this.#members.map(({ engine }) => engine.state);
    const ready = states.filter((state) => state.name === 'ready');
    const [first] = ready;
    if (first && (this.#state.name !== 'starting' || ready.length === states.length)) {
      return {
        ...first,
        ...combined(ready),
        calibration: ready.map(({ calibration }) => calibration).reduce((a, b) => (b.at < a.at ? b : a)),
        device: ready.map((state) => state.device).join(','),
      };
    }
    const order = ['failed', 'stopped', 'restarting', 'starting'] as const;
    const worst = order.flatMap((name) => states.find((state) => state.name === name) ?? []);
    return worst[0] ?? this.#state;
  }
}

function describe(state: EngineState): string {
  if (state.name === 'ready') return state.device;
  return 'what' in state ? state.what : '';
}
