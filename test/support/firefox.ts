import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { ScriptedBrowser } from './scripted-browser.js';

/** Nothing but the pages that are opened, and a camera that shows a test picture without a question. */
const preferences = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'services.settings.server': 'data:,none',
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.server': '',
  'app.update.disabledForTesting': true,
  'browser.startup.page': 0,
};

interface Answer {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly result?: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly method?: string;
  readonly params?: { readonly level?: string; readonly text?: string };
}

/** A headless Firefox with one tab, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi). */
export class Firefox extends ScriptedBrowser {
  readonly #problems: string[] = [];
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;
  #tab: unknown;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    super();
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString()) as Answer));
  }

  static async launch(program: string): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), 'millrace-firefox-'));
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    await writeFile(join(profile, 'user.js'), lines.join('\n'));
    const flags = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
    const child = spawn(program, flags, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: profile },
    });
    const socket = new WebSocket(`${await addressOf(child)}/session`);
    await once(socket, 'open');
    const firefox = new Firefox(child, profile, socket);
    await firefox.#ask('session.new', { capabilities: {} });
    await firefox.#ask('session.subscribe', { events: ['log.entryAdded'] });
    const { context } = await firefox.#ask('browsingContext.create', { type: 'tab' });
    firefox.#tab = context;
    return firefox;
  }

  async open(url: string): Promise<void> {
    await this.#ask('browsingContext.navigate', { context: this.#tab, url, wait: 'complete' });
  }

  async evaluate(expression: string): Promise<unknown> {
    const text = `Promise.resolve(${expression}).then(JSON.stringify)`;
    const target = { context: this.#tab };
    const { type, result, exceptionDetails } = await this.#ask('script.evaluate', {
      expression: text,
      target,
      awaitPromise: true,
    });
    if (type !== 'success') throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    const { value } = result as { readonly value?: string };
    return value === undefined ? undefined : JSON.parse(value);
  }

  async problems(): Promise<readonly string[]> {
    // What was logged before comes before the answer to another question.
    await this.evaluate('0');
    return this.#problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    if (!this.#process.kill('SIGKILL')) return;
    await ended;
    this.#socket.terminate();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #ask(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`);
    return answer.result ?? {};
  }

  #receive({ id, method, params, ...answer }: Answer): void {
    if (method === 'log.entryAdded' && params?.level === 'error') this.#problems.push(params.text ?? '');
    if (id === undefined) return;
    this.#waiting.get(id)?.({ id, ...answer });
    this.#waiting.delete(id);
  }
}

/** Reads the output of a Firefox until it names the address of its WebDriver. */
async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('Firefox has no output');
  for await (const line of createInterface(child.stderr)) {
    const [url] = /ws:\/\/[\d.:]+/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stderr.resume();
    return url;
  }
  throw new Error('Firefox ended before it listened');
}
