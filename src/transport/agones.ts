import type AgonesSdk from '@google-cloud/agones-sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { asError } from '../engine/as-error.js';
import { withinTime } from '../engine/within-time.js';
import type { AgentReport } from './agent-server.js';

/** The name of the counter in the Fleet. */
const counter = 'sessions';
/** How often the state of this server is looked at, in milliseconds: as often as HAProxy asks the agent. */
const lookMs = 500;
/** Pause before the next try after a failure, in milliseconds. */
const retryMs = 2000;
/** How long the sidecar may take to answer, in milliseconds. */
const answerMs = 5000;

type GameServerState = 'ready' | 'allocated' | 'shutdown';

/**
 * Tells Agones, through the sidecar of its GameServer, what the agent tells HAProxy. A server with sessions is
 * allocated, and Agones does not remove it; without any it is ready, and may be removed.
 */
export class AgonesReporter implements AsyncDisposable {
  readonly #report: () => AgentReport;
  readonly #log: Logger;
  readonly #end = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #sidecar: AgonesSdk | null = null;
  #pings: NodeJS.Timeout | undefined;
  /** What Agones knows. Null before it was told anything. */
  #state: GameServerState | null = null;
  #sessions: number | null = null;
  #capacity = 0;
  /** Whether the last try failed and was logged. */
  #failing = false;

  constructor(report: () => AgentReport, log: Logger) {
    this.#report = report;
    this.#log = log;
  }

  /** Starts to report, from now on until this is disposed of. */
  start(): void {
    this.#loop = this.#run();
  }

  /** Tells Agones that this GameServer is done with, if its sidecar answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#loop;
    if (this.#sidecar !== null && this.#state !== 'shutdown') {
      await answer(this.#sidecar.shutdown()).catch((error: unknown) => this.#failed(error));
    }
    this.#disconnect();
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const told = await this.#tell().then(
        () => true,
        (error: unknown) => this.#failed(error),
      );
      await sleep(told ? lookMs : retryMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Tells Agones what it does not know yet. */
  async #tell(): Promise<void> {
    const sidecar = (this.#sidecar ??= await this.#connect());
    const report = this.#report();
    const state = gameServerState(report);
    if (state !== null && state !== this.#state) {
      if (state === 'ready') await answer(sidecar.ready());
      else if (state === 'allocated') await answer(sidecar.allocate());
      else await answer(sidecar.shutdown());
      this.#state = state;
    }
    if (report.engine !== 'starting') await this.#count(sidecar, report);
    if (this.#failing) this.#log.info("Agones' sidecar answers again");
    this.#failing = false;
  }

  /** Sets the counter, in an order in which its count is never above its capacity: Agones would refuse it. */
  async #count({ beta }: AgonesSdk, { served, slots }: AgentReport): Promise<void> {
    const capacity = Math.max(slots, served);
    const setCapacity = async (): Promise<void> => {
      if (capacity === this.#capacity) return;
      await answer(beta.setCounterCapacity(counter, capacity));
      this.#capacity = capacity;
    };
    if (capacity > this.#capacity) await setCapacity();
    if (served !== this.#sessions) {
      await answer(beta.setCounterCount(counter, served));
      this.#sessions = served;
    }
    await setCapacity();
  }

  /** Connects to the sidecar and sends pings, twice in the period that the Fleet sets. */
  async #connect(): Promise<AgonesSdk> {
    const { default: Sdk } = await import('@google-cloud/agones-sdk');
    const sidecar = new Sdk();
    try {
      const { spec } = await answer(sidecar.getGameServer());
      const { disabled = false, periodSeconds = 0 } = spec?.health ?? {};
      if (!disabled && periodSeconds > 0) this.#ping(sidecar, periodSeconds * 500);
      return sidecar;
    } catch (error) {
      close(sidecar);
      throw new Error(`localhost:${sidecar.port}: ${asError(error).message}`, { cause: error });
    }
  }

  /** Sends pings, also while the engine starts, which can take minutes; not when it has failed. */
  #ping(sidecar: AgonesSdk, intervalMs: number): void {
    // The library does not open a broken call again.
    const lost = (): void => {
      if (this.#sidecar === sidecar) this.#disconnect();
    };
    const ping = (): void => {
      const { engine } = this.#report();
      if (engine !== 'failed' && engine !== 'stopped') sidecar.health(lost);
    };
    ping();
    sidecar.healthStream?.once('status', lost);
    this.#pings = setInterval(ping, intervalMs).unref();
  }

  #disconnect(): void {
    clearInterval(this.#pings);
    if (this.#sidecar !== null) close(this.#sidecar);
    this.#sidecar = null;
  }

  #failed(error: unknown): false {
    this.#disconnect();
    if (!this.#failing) {
      this.#log.warn(
        `Agones' sidecar does not take what this server reports (${asError(error).message}); the server goes on and tries ` +
          'again. Use --agones only in a Fleet of Agones, with the counter `sessions`',
      );
    }
    this.#failing = true;
    return false;
  }
}

/** Returns the state that the GameServer should have; null if it should keep the one that it has. */
function gameServerState({ engine, draining, served }: AgentReport): GameServerState | null {
  if (engine === 'starting' || engine === 'failed' || engine === 'stopped') return null;
  if (draining) return served === 0 ? 'shutdown' : null;
  return served > 0 ? 'allocated' : 'ready';
}

/** Waits for an answer of the sidecar. @throws {Error} (as rejection) if it refuses or takes too long. */
async function answer<Value>(call: Promise<Value>): Promise<Value> {
  const value = await withinTime(call, answerMs);
  if (value === null) throw new Error(`no answer within ${answerMs / 1000} s`);
  return value;
}

function close(sidecar: AgonesSdk): void {
  sidecar.healthStream?.cancel();
  sidecar.close();
  // The library closes only the first of its three clients.
  sidecar.alpha.client.close();
  sidecar.beta.client.close();
}
