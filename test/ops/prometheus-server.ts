import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { repositoryRoot } from '../support/reference.js';
import type { Program } from './programs.js';

/** A real Prometheus that scrapes servers, with the rules of ops/prometheus. */
export interface PrometheusServer extends AsyncDisposable {
  /** Returns the current values of an expression, one for each series. */
  query(expression: string): Promise<readonly number[]>;
}

/** The response of the HTTP API to an instant query. */
type Answer =
  | { readonly status: 'success'; readonly data: { readonly result: readonly Sample[] } }
  | { readonly status: 'error'; readonly error: string };
interface Sample {
  readonly value: readonly [time: number, value: string];
}

const rules = ['millrace-recording.yml', 'millrace-alerts.yml'].map((name) =>
  join(repositoryRoot, 'ops/prometheus', name),
);

/**
 * Starts a Prometheus and waits until it is ready.
 * @param targets `host:port` of the servers, scraped each second.
 * @param token for its metrics.
 */
export async function startPrometheus(
  program: Program,
  targets: readonly string[],
  token: string,
): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  await writeFile(join(folder, 'token'), token);
  // JSON is YAML.
  const settings = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: [
      {
        job_name: 'millrace',
        authorization: { credentials_file: join(folder, 'token') },
        static_configs: [{ targets }],
      },
    ],
  };
  await writeFile(config, JSON.stringify(settings));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    program.path,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const ended = once(child, 'close');
  while (!(await isReady(address))) {
    if (child.exitCode !== null) throw new Error(`Prometheus exited early: ${output}`);
    await pause(50);
  }
  return {
    async query(expression) {
      const query = new URLSearchParams({ query: expression });
      const response = await fetch(`http://${address}/api/v1/query?${query.toString()}`);
      const answer = (await response.json()) as Answer;
      if (answer.status === 'error') throw new Error(`${expression}: ${answer.error}`);
      return answer.data.result.map(({ value }) => Number(value[1]));
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function isReady(address: string): Promise<boolean> {
  return fetch(`http://${address}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}
