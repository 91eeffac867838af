import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { complaintsOf, findProgram } from '../ops/programs.js';
import { freePort } from '../support/free-port.js';
import { repositoryRoot } from '../support/reference.js';

export const haproxy = findProgram('haproxy');
export const haproxyFile = join(repositoryRoot, 'ops/haproxy/haproxy.cfg');

/** @throws {Error} with the output of HAProxy if it cannot run: a library may be missing. */
export function checkHaproxy(): void {
  const complaint = complaintsOf(haproxy, ['-v']);
  if (complaint !== null) throw new Error(`HAProxy cannot run: ${complaint}`);
}

/** Where a server listens. */
export interface ServerPorts {
  readonly port: number;
  readonly agentPort: number;
}

/** Where HAProxy finds servers by a name; all listen at the same ports. */
interface NamedServers extends ServerPorts {
  readonly nameServerPort: number;
}

/** How HAProxy runs in a test. */
interface Surroundings {
  /** Whether a server may be slow to answer: the machine of a test may be busy with others. */
  readonly patient: boolean;
  /** Instead of the listed servers. */
  readonly named?: NamedServers;
  /** What each address may have; by default so much that a test can be all users of a fleet. */
  readonly perAddress?: { readonly streams: number; readonly connectsPerMinute: number };
  /** Whether connections begin with the address of the user (PROXY protocol, version 1). */
  readonly proxied?: boolean;
  /** Further environment variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** State of a server in HAProxy's words, and how many streams it has. */
export interface ServerState {
  readonly state: string;
  readonly streams: number;
  readonly maxStreams: number;
  /** At most 100. */
  readonly weight: number;
}

/** A real HAProxy with the configuration of ops/haproxy, in front of servers on this machine. */
export class HaproxyProcess implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #operators: string;
  readonly #env: NodeJS.ProcessEnv;
  #stop: (signal: NodeJS.Signals) => Promise<void> = () => Promise.resolve();

  private constructor(folder: string, port: number, operatorsPort: number, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
    this.url = `http://127.0.0.1:${port}`;
    this.#operators = `http://127.0.0.1:${operatorsPort}`;
  }

  static async start(servers: readonly ServerPorts[], surroundings: Surroundings): Promise<HaproxyProcess> {
    const { named, env: further } = surroundings;
    const folder = await mkdtemp(join(tmpdir(), 'millrace-haproxy-'));
    const [port, operatorsPort] = [await freePort(), await freePort()];
    const text = await readFile(haproxyFile, 'utf8');
    const adapted = adapt(text, servers, { port, operatorsPort, ...surroundings });
    await writeFile(join(folder, 'haproxy.cfg'), named ? adaptNames(adapted, named) : adapted);
    const env = { ...process.env, ...further, ...(named && { MILLRACE_SERVICE: 'servers.test' }) };
    const started = new HaproxyProcess(folder, port, operatorsPort, env);
    await started.start();
    return started;
  }

  /** Starts it, again after `kill`, and waits until it listens. */
  async start(): Promise<void> {
    const child = spawn(haproxy.path, ['-db', '-f', join(this.#folder, 'haproxy.cfg')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: this.#env,
    });
    let output = '';
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const ended = once(child, 'close');
    this.#stop = async (signal) => {
      child.kill(signal);
      await ended;
    };
    while (!(await listens(this.#operators))) {
      if (child.exitCode !== null || child.signalCode !== null) {
        await ended;
        throw new Error(`HAProxy exited early: ${output}`);
      }
      await pause(20);
    }
  }

  async kill(): Promise<void> {
    await this.#stop('SIGKILL');
  }

  /** Returns what HAProxy thinks of the servers, in the order of the nodes. */
  async servers(): Promise<readonly ServerState[]> {
    const text = await (await fetch(`${this.#operators}/metrics`)).text();
    const of = (metric: string): ReadonlyMap<string, number> =>
      new Map(
        [
          ...text.matchAll(
            new RegExp(`^haproxy_server_${metric}{proxy="streams",server="(.*?)"} (.*)$`, 'gm'),
          ),
        ].map(([, name = '', value]) => [name, Number(value)]),
      );
    const streams = of('current_sessions');
    const limits = of('limit_sessions');
    const weights = of('weight');
    const states = [
      ...text.matchAll(/^haproxy_server_status{proxy="streams",server="(.*?)",state="(.*?)"} 1$/gm),
    ];
    return states
      .map(([, name = '', state = '']) => ({ name, state }))
      .toSorted((a, b) => a.name.localeCompare(b.name))
      .map(({ name, state }) => ({
        state,
        streams: streams.get(name) ?? 0,
        maxStreams: limits.get(name) ?? 0,
        weight: weights.get(name) ?? 0,
      }));
  }

  /** Waits until the servers are as wanted, as HAProxy sees them. */
  async until(wanted: (servers: readonly ServerState[]) => boolean): Promise<void> {
    while (!wanted(await this.servers())) await pause(50);
  }

  /** Waits until it knows that no server has a stream. */
  async idle(): Promise<void> {
    await this.until((servers) => servers.every(({ state, weight }) => state === 'UP' && weight === 100));
  }

  /** Waits until it knows that no server has a free slot. */
  async full(): Promise<void> {
    await this.until((servers) => servers.every(({ state }) => state === 'DRAIN'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop('SIGTERM');
    await rm(this.#folder, { recursive: true });
  }
}

/** Returns the configuration with the servers, ports and limits of a test. */
function adapt(
  text: string,
  servers: readonly ServerPorts[],
  {
    port,
    operatorsPort,
    patient,
    perAddress = { streams: 10_000, connectsPerMinute: 100_000 },
    proxied = false,
  }: Surroundings & { readonly port: number; readonly operatorsPort: number },
): string {
  const lines = servers.map(
    ({ port: own, agentPort }, i) =>
      [`    server n${i} 127.0.0.1:${own}`, ` agent-port ${agentPort}`] as const,
  );
  const [streams = '', pages = ''] = [lines.map((line) => line.join('')), lines.map(([line]) => line)].map(
    (all) => all.join('\n'),
  );
  const listed = /^( {4}server [abc] .*\n)+/m;
  return text
    .replace(listed, `${streams}\n`)
    .replace(listed, `${pages}\n`)
    .replace('timeout check 1s', patient ? 'timeout check 5s' : 'timeout check 1s')
    .replace('timeout server 5s', patient ? 'timeout server 20s' : 'timeout server 5s')
    .replace('bind :8080', `bind 127.0.0.1:${port}${proxied ? ' accept-proxy' : ''}`)
    .replace('bind :8404', `bind 127.0.0.1:${operatorsPort}`)
    .replace('sc_conn_cur(0) gt 16', `sc_conn_cur(0) gt ${perAddress.streams}`)
    .replace('sc_http_req_rate(0) gt 300', `sc_http_req_rate(0) gt ${perAddress.connectsPerMinute}`);
}

/** Returns the configuration with the name server and the servers' ports of a test. */
function adaptNames(text: string, { nameServerPort, port, agentPort }: NamedServers): string {
  return text
    .replace('parse-resolv-conf', `nameserver test 127.0.0.1:${nameServerPort}`)
    .replaceAll('"${MILLRACE_SERVICE}":8420', `"\${MILLRACE_SERVICE}":${port}`)
    .replace('agent-check agent-port 8421', `agent-check agent-port ${agentPort}`);
}

async function listens(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
