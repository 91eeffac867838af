import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, sep } from 'node:path';

/** A fault in a response. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection ends after this many bytes of the content. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The connection hangs after this many bytes of the content. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The content ends normally after this many bytes. */
  | { readonly kind: 'short'; readonly after: number }
  /** The last byte of the content is wrong. */
  | { readonly kind: 'damage' }
  /** Range is not supported. */
  | { readonly kind: 'whole' };

type Pattern = Pick<RegExp, 'test'>;

interface PlannedFault {
  readonly path: Pattern;
  readonly fault: Fault;
  times: number;
}

export interface HubRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
  /** Whether it went to the other address, which serves large files. */
  readonly cdn: boolean;
}

interface StoredFile {
  readonly size: number;
  readonly content: Buffer;
  readonly oid: string;
  readonly lfs: string | null;
}

const LFS_FROM = 50_000;
const PAGE = 7;

/**
 * A hub on this machine with one model: the parts of the API that its library calls, and downloads, large ones
 * redirected to another address as on the real hub. Faults can be planned.
 */
export class HubServer implements AsyncDisposable {
  readonly repo = 'studio/tiny';
  readonly commit = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
  readonly requests: HubRequest[] = [];
  /** Token without which nothing can be read. */
  token: string | null = null;
  /** Whether only accounts with access may read the files, which anyone may list. */
  gated = false;
  readonly #files = new Map<string, StoredFile>();
  readonly #faults: PlannedFault[] = [];
  #url = '';
  readonly #api: Server;
  readonly #cdn: Server;

  private constructor() {
    this.#api = createServer((request, response) => this.#answer(request, response));
    this.#cdn = createServer((request, response) => this.#answerCdn(request, response));
  }

  /** Starts a hub with the files of a model folder, plus unneeded ones unless it has files of those names. */
  static async start(model: string): Promise<HubServer> {
    const hub = new HubServer();
    hub.put('README.md', Buffer.from('# A model'));
    hub.put('unet/diffusion_pytorch_model.safetensors', Buffer.alloc(100_000, 1));
    hub.put('text_encoder/pytorch_model.bin', Buffer.alloc(100_000, 2));
    for (const path of readdirSync(model, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
      if (!path.isFile()) continue;
      const file = join(path.parentPath, path.name);
      hub.put(
        file
          .slice(model.length + 1)
          .split(sep)
          .join('/'),
        readFileSync(file),
      );
    }
    for (const server of [hub.#api, hub.#cdn]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    hub.#url = addressOf(hub.#api);
    return hub;
  }

  /** Base address; stays the same after the server has closed. */
  get url(): string {
    return this.#url;
  }

  put(path: string, content: Buffer): void {
    const lfs = content.length >= LFS_FROM ? createHash('sha256').update(content).digest('hex') : null;
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    this.#files.set(path, { size: content.length, content, oid, lfs });
  }

  remove(path: RegExp): void {
    for (const name of this.#files.keys()) if (path.test(name)) this.#files.delete(name);
  }

  content(path: string): Buffer {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`no file ${path}`);
    return file.content;
  }

  /** Lists a file with another size. */
  announce(path: string, size: number): void {
    const file = this.#files.get(path);
    if (file) this.#files.set(path, { ...file, size });
  }

  /** Returns the name of a file in a cache. */
  checksum(path: string): string {
    const file = this.#files.get(path);
    return file?.lfs ?? file?.oid ?? '';
  }

  /** Returns the bytes of all files by their names in a cache. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.#files.values()].map(({ lfs, oid, content }) => [lfs ?? oid, content.length]));
  }

  /** Makes the next requests for matching paths fail. */
  plan(path: Pattern, fault: Fault, times = 1): void {
    this.#faults.push({ path, fault, times });
  }

  /** Paths of the downloads so far, without the address. */
  get downloads(): readonly string[] {
    const prefix = `/${this.repo}/resolve/${this.commit}/`;
    return this.requests.flatMap(({ path }) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#api, this.#cdn]) {
      if (!server.listening) continue;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.url);
    const path = decodeURIComponent(url.pathname);
    this.#note(request, path, false);
    const fault = this.#faultFor(path, ({ kind }) => kind === 'status');
    if (fault?.kind === 'status') return fail(response, fault.status, fault.headers);
    const given = request.headers.authorization?.replace('Bearer ', '');
    if (given !== undefined && given !== this.token) return fail(response, 401);
    const anonymous = given === undefined;
    if (this.token !== null && anonymous && !this.gated) {
      return fail(response, 401, { 'X-Error-Code': 'RepoNotFound' });
    }
    const api = `/api/models/${this.repo}/`;
    const files = `/${this.repo}/resolve/${this.commit}/`;
    if (path.startsWith(`${api}revision/`)) return this.#info(response, path.slice(`${api}revision/`.length));
    if (path === `${api}tree/${this.commit}`) return this.#tree(response, url);
    if (!path.startsWith(files)) return fail(response, 404, { 'X-Error-Code': 'RepoNotFound' });
    if (this.gated && (anonymous || this.token === null)) {
      return fail(response, anonymous ? 401 : 403, { 'X-Error-Code': 'GatedRepo' });
    }
    const file = this.#files.get(path.slice(files.length));
    if (file === undefined) return fail(response, 404, { 'X-Error-Code': 'EntryNotFound' });
    response.setHeader('X-Repo-Commit', this.commit);
    if (file.lfs === null) {
      response.setHeader('ETag', `"${file.oid}"`);
      return this.#send(request, response, path, file.content);
    }
    response.writeHead(302, {
      Location: `${addressOf(this.#cdn)}/${path.slice(files.length)}?signature=secret`,
      'X-Linked-Etag': `"${file.lfs}"`,
      'X-Linked-Size': file.content.length,
    });
    response.end();
  }

  #answerCdn(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '', this.url).pathname;
    this.#note(request, path, true);
    const file = this.#files.get(path.slice(1));
    if (file === undefined) return fail(response, 404);
    this.#send(request, response, path, file.content);
  }

  #info(response: ServerResponse, revision: string): void {
    if (!['main', 'v1', 'refs/pr/1', this.commit].includes(revision)) {
      return fail(response, 404, { 'X-Error-Code': 'RevisionNotFound' });
    }
    const lastModified = '2026-01-01T00:00:00.000Z';
    json(response, { _id: '1', id: this.repo, sha: this.commit, gated: this.gated, lastModified });
  }

  #tree(response: ServerResponse, url: URL): void {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const entries = [...this.#files].map(([path, { size, oid, lfs }]) => {
      const pointer = lfs === null ? null : { oid: lfs, size, pointerSize: 130 };
      return Object.assign({ type: 'file', path, oid, size }, pointer && { lfs: pointer });
    });
    url.searchParams.set('cursor', String(from + PAGE));
    if (from + PAGE < entries.length) response.setHeader('Link', `<${url.href}>; rel="next"`);
    json(response, entries.slice(from, from + PAGE));
  }

  #note(request: IncomingMessage, path: string, cdn: boolean): void {
    const { range, authorization } = request.headers;
    this.requests.push({ path, range, token: authorization, cdn });
  }

  #send(request: IncomingMessage, response: ServerResponse, path: string, content: Buffer): void {
    const fault = this.#faultFor(path, ({ kind }) => kind !== 'status');
    send(request, response, content, fault);
  }

  #faultFor(path: string, fits: (fault: Fault) => boolean): Fault | undefined {
    const planned = this.#faults.find((one) => one.times > 0 && fits(one.fault) && one.path.test(path));
    if (planned) planned.times -= 1;
    return planned?.fault;
  }
}

function send(request: IncomingMessage, response: ServerResponse, whole: Buffer, fault?: Fault): void {
  const [, from] = (fault?.kind !== 'whole' && /^bytes=(\d+)-$/.exec(request.headers.range ?? '')) || [];
  const start = Number(from ?? 0);
  const content = Buffer.from(whole.subarray(start));
  if (fault?.kind === 'damage') content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
  if (from !== undefined) {
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${start}-${whole.length - 1}/${whole.length}`);
  }
  if (fault?.kind === 'short') return void response.end(content.subarray(0, fault.after));
  response.setHeader('Content-Length', content.length);
  if (fault?.kind !== 'cut' && fault?.kind !== 'stall') return void response.end(content);
  response.write(content.subarray(0, fault.after), () => {
    if (fault.kind === 'cut') response.destroy();
  });
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
}

function fail(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers);
  response.end('no');
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `http://127.0.0.1:${address.port}`;
}
