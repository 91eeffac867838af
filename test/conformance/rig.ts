import assert from 'node:assert/strict';
import { ClientProcess } from './client-process.js';
import { checkConduct } from './conduct.js';
import { Proxy, type ProxiedConnection, type ProxyOptions } from './proxy.js';

/** Seconds that a client may wait while the slot of the previous client is still kept. */
const longestQueue = 60;

/** The setup of a run of the suite. */
export interface Setup {
  /** URL of a live server. */
  readonly server: string;
  /** The program that drives the client under test, and its arguments. */
  readonly program: readonly string[];
  /** Parameters to open streams with, such as a small size. */
  readonly parameters: object;
  /** JPEG files, which differ from each other. */
  readonly images: readonly Uint8Array[];
}

/** A client under test, the server, and the proxy between them. */
export class Rig implements AsyncDisposable {
  readonly client: ClientProcess;
  readonly proxy: Proxy;
  readonly #setup: Setup;
  #sent = 0;

  private constructor(setup: Setup, proxy: Proxy) {
    this.#setup = setup;
    this.proxy = proxy;
    this.client = new ClientProcess(setup.program);
  }

  static async start(setup: Setup, options: ProxyOptions = {}): Promise<Rig> {
    return new Rig(setup, await Proxy.start(setup.server, options));
  }

  /**
   * Makes the client connect, and waits until it reports that it is ready.
   * @param tokens to send one after the other; without any, it sends none.
   */
  async connect(parameters: object = {}, tokens: readonly string[] = []): Promise<ProxiedConnection> {
    this.client.tell({
      command: 'connect',
      url: this.proxy.url,
      parameters: { ...this.#setup.parameters, ...parameters },
      tokens,
    });
    await this.client.first('ready', undefined, longestQueue);
    return this.proxy.connection(0);
  }

  /** Makes the client send the next picture, with a mask and pictures for these controls. */
  send(
    data: Uint8Array = this.#nextImage(),
    controls: Readonly<Record<string, Uint8Array>> = {},
    mask: Uint8Array | null = null,
  ): void {
    const pictures = Object.entries(controls).map(([name, picture]) => [name, inBase64(picture)] as const);
    this.client.tell({
      command: 'send',
      data: inBase64(data),
      ...(mask && { mask: inBase64(mask) }),
      ...(pictures.length > 0 && { controls: Object.fromEntries(pictures) }),
    });
    this.#sent += 1;
  }

  /** Makes the client send a picture, and waits for its result. */
  async generate(): Promise<number> {
    const index = this.#sent;
    this.send();
    const { id } = await this.client.first('sent', (event) => this.client.all('sent')[index] === event);
    await this.client.first('frame', (event) => event['id'] === id);
    return Number(id);
  }

  /** Closes the client and checks that it broke no rule on any connection. */
  async finish(): Promise<void> {
    this.client.tell({ command: 'close' });
    await this.client.first('closed');
    assert.equal(await this.client.ended(), 0, 'the program of the client exits with status 0 after close');
    checkConduct(this.proxy.connections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
  }

  #nextImage(): Uint8Array {
    const { images } = this.#setup;
    const image = images[this.#sent % images.length];
    assert.ok(image, 'the setup has images');
    return image;
  }
}

function inBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
