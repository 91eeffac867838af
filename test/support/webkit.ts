import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-port.js';
import { ScriptedBrowser } from './scripted-browser.js';

/** Keeps what goes wrong in a page from now on. */
const watch = `
  globalThis.problems = [];
  addEventListener('error', ({ message }) => problems.push(message));
  addEventListener('unhandledrejection', ({ reason }) => problems.push(String(reason)));
  const { error } = console;
  console.error = (...all) => { problems.push(all.join(' ')); error(...all); };`;

/** The small browser of WebKitGTK on the display of this process, driven by WebDriver (https://w3.org/TR/webdriver2). */
export class WebKit extends ScriptedBrowser {
  readonly #process: ChildProcess;
  readonly #driver: string;
  #session = '';

  private constructor(process: ChildProcess, driver: string) {
    super();
    this.#process = process;
    this.#driver = driver;
  }

  /** @param program WebKitWebDriver. */
  static async launch(program: string): Promise<WebKit> {
    const port = await freePort();
    const driver = `http://127.0.0.1:${port}`;
    const child = spawn(program, [`--port=${port}`, '--host=127.0.0.1'], { stdio: 'ignore' });
    const webKit = new WebKit(child, driver);
    while (!(await answers(`${driver}/status`))) {
      if (child.exitCode !== null) throw new Error('WebKitWebDriver ended before it listened');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { sessionId } = (await webKit.#ask('POST', '/session', { capabilities: {} })) as {
      readonly sessionId: string;
    };
    webKit.#session = `/session/${sessionId}`;
    return webKit;
  }

  async open(url: string): Promise<void> {
    await this.#ask('POST', `${this.#session}/url`, { url });
    await this.#ask('POST', `${this.#session}/execute/sync`, { script: watch, args: [] });
  }

  async evaluate(expression: string): Promise<unknown> {
    const script = `const done = arguments[0]; Promise.resolve(${expression}).then(done);`;
    return this.#ask('POST', `${this.#session}/execute/async`, { script, args: [] });
  }

  async problems(): Promise<readonly string[]> {
    return (await this.evaluate('problems')) as readonly string[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    await this.#ask('DELETE', this.#session);
    if (this.#process.kill()) await ended;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#driver + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const { value } = (await response.json()) as { readonly value: unknown };
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
