import { setTimeout as pause } from 'node:timers/promises';
import { tinyModel } from '../support/engine.js';
import { freePort } from '../support/free-port.js';
import { startServerIn, type ServerProcess } from '../support/server-process.js';
import { checkHaproxy, HaproxyProcess, type ServerPorts } from './haproxy-process.js';
import { Link } from './link.js';

export interface FleetOptions {
  /** Whether HAProxy may wait longer than usual for an answer, which is the default; not when times are measured. */
  readonly patient?: boolean;
  readonly nodes?: number;
  /** Slots of each node. */
  readonly slots: number;
  /** Further flags of a node. */
  readonly flags?: (node: number) => readonly string[];
  /** A module that a node imports first. */
  readonly imports?: (node: number) => URL | undefined;
  /** The program of a node, if it is another version. */
  readonly main?: (node: number) => string | undefined;
  /** Whether HAProxy reaches the first node over a link that can break. */
  readonly linked?: boolean;
}

async function closeAll(parts: readonly (AsyncDisposable | null)[]): Promise<void> {
  await Promise.all(parts.map((part) => part?.[Symbol.asyncDispose]() ?? Promise.resolve()));
}

/** Starts a balancer, and waits until it knows the slots of all nodes, which have no streams. */
async function startHaproxy(
  nodes: readonly ServerPorts[],
  slots: number,
  surroundings: Parameters<typeof HaproxyProcess.start>[1],
): Promise<HaproxyProcess> {
  const haproxy = await HaproxyProcess.start(nodes, surroundings);
  await haproxy.until((servers) => servers.every(({ maxStreams }) => maxStreams === slots));
  await haproxy.idle();
  return haproxy;
}

/** Servers as ops/docs/fleet.md starts them, and a HAProxy in front of them. */
export class Fleet implements AsyncDisposable {
  readonly nodes: readonly FleetNode[];
  readonly haproxy: HaproxyProcess;
  readonly #link: Link | null;

  private constructor(nodes: readonly FleetNode[], link: Link | null, haproxy: HaproxyProcess) {
    this.nodes = nodes;
    this.#link = link;
    this.haproxy = haproxy;
  }

  /** Starts all, and waits until HAProxy knows the slots of all nodes. */
  static async start({ nodes: count = 3, ...options }: FleetOptions): Promise<Fleet> {
    const { slots, patient = true, linked = false } = options;
    checkHaproxy();
    const nodes: FleetNode[] = [];
    for (let i = 0; i < count; i++) {
      nodes.push(new FleetNode(await freePort(), await freePort(), i, options));
    }
    const [first] = nodes;
    const link = linked && first ? await Link.to(first.port) : null;
    const reached = nodes.map((node): ServerPorts =>
      link && node === first ? { port: link.port, agentPort: node.agentPort } : node,
    );
    try {
      await Promise.all(nodes.map((node) => node.start()));
      return new Fleet(nodes, link, await startHaproxy(reached, slots, { patient }));
    } catch (error) {
      await closeAll([...nodes, link]);
      throw error;
    }
  }

  /** The link to the first node. */
  get link(): Link {
    if (this.#link === null) throw new Error('the fleet has no link');
    return this.#link;
  }

  /** The address of the balancer. */
  get url(): string {
    return this.haproxy.url;
  }

  get streamUrl(): string {
    return `${this.url.replace('http', 'ws')}/v1/stream`;
  }

  /** Starts a further balancer, with other environment variables, in front of the nodes. */
  async anotherHaproxy(env: NodeJS.ProcessEnv): Promise<HaproxyProcess> {
    const [first] = await this.haproxy.servers();
    return startHaproxy(this.nodes, first?.maxStreams ?? 0, { patient: true, env });
  }

  /** Returns the number of sessions on each node; 0 for those that do not answer. */
  async sessions(): Promise<readonly number[]> {
    return Promise.all(this.nodes.map((node) => node.sessions()));
  }

  /** Waits until the nodes together have as many sessions. */
  async untilTotal(count: number): Promise<void> {
    while ((await this.sessions()).reduce((sum, own) => sum + own, 0) !== count) await pause(50);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.haproxy[Symbol.asyncDispose]();
    await closeAll([...this.nodes, this.#link]);
  }
}

/** One server of a fleet; it can be started again at the same ports. */
export class FleetNode implements ServerPorts, AsyncDisposable {
  readonly port: number;
  readonly agentPort: number;
  readonly #index: number;
  readonly #options: FleetOptions;
  #process: ServerProcess | null = null;

  constructor(port: number, agentPort: number, index: number, options: FleetOptions) {
    this.port = port;
    this.agentPort = agentPort;
    this.#index = index;
    this.#options = options;
  }

  /** The address of the server itself, without the balancer. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the server, and waits until it is ready. */
  async start(): Promise<void> {
    const { slots, flags = () => [], imports, main } = this.#options;
    const own = {
      port: this.port,
      'agent-port': this.agentPort,
      model: tinyModel,
      threads: 1,
      // Without looking for others.
      device: 'cpu',
      'cache-directory': '',
      'slo-fps': 0,
      'max-sessions': slots,
      'resume-key': 'the same for all servers of the fleet',
      'queue-length': 0,
      'grace-seconds': 0,
      'checkpoint-seconds': 0.5,
      'drain-seconds': 10,
      // All clients of a test have the same address.
      'max-connections-per-address': 1000,
      'max-connects-per-minute': 100_000,
      'max-plain-connections-per-address': 1000,
    };
    const given = Object.entries(own).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const module = imports?.(this.#index);
    this.#process = await startServerIn(
      { ...(module && { imports: module }), main: main?.(this.#index) },
      ...given,
      ...flags(this.#index),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.child.kill(name);
  }

  /** Stops the server as an orchestrator would, and waits until it has exited. */
  async stop(): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  /** Returns the number of sessions; 0 if it does not answer. */
  async sessions(): Promise<number> {
    try {
      const signal = AbortSignal.timeout(2000);
      const answer = await fetch(`${this.url}/readyz`, { signal });
      const { sessions } = (await answer.json()) as { readonly sessions: { readonly served: number } };
      return sessions.served;
    } catch {
      return 0;
    }
  }

  /** Returns how many streams it refused because it was full. */
  async refusals(): Promise<number> {
    const name = 'millrace_errors_total{code="too_many_sessions"}';
    return (await this.#process?.metrics(name))?.get(name) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A stopped process (SIGSTOP) handles no SIGTERM.
    this.signal('SIGCONT');
    await this.stop();
  }
}
