// A client that does what it must and nothing that it only should or may: no pings, no clock, no resume, no drain, one
// acknowledgement for as many results as may wait for it. It tests the suite itself.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { decodeMessage, dropReasons, encodeMessage, errors, subprotocol } from '@millrace/protocol';
import { WebSocket } from 'ws';

type Fields = Readonly<Record<string, unknown>>;

function tell(event: string, fields: Fields = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

/** Ids need not be consecutive. */
const step = 7;
/** Messages may be fragmented. */
const fragment = 1000;

class FrugalClient {
  readonly #socket: WebSocket;
  readonly #tags: unknown[] = [];
  /** The newest frame without a credit. */
  #waiting: { readonly id: number; readonly data: Uint8Array } | undefined;
  #ready = false;
  #window = 0;
  #allowed = 0;
  #sent = 0;
  #nextId = 100;
  #results = 0;
  #done = 0;
  #acknowledged = 0;
  #held: 'no' | 'after the next' | 'yes' = 'no';
  #unread: Fields | undefined;
  #failure: unknown;

  constructor(url: string, parameters: object, token: string | undefined) {
    this.#socket = new WebSocket(new URL('/v1/stream', url.replace('http', 'ws')), subprotocol);
    this.#socket.on('open', () =>
      this.#say({ type: 'hello', parameters, ...(token !== undefined && { token }) }),
    );
    this.#socket.on('message', (data: Buffer) => this.#hear(decodeMessage(new Uint8Array(data))));
    this.#socket.on('error', () => {});
    this.#socket.on('close', (code) => {
      const fallback = code === 1009 ? 'message_too_large' : 'connection_lost';
      const byClient = code === 1005 || code === 1001;
      tell(this.#ready ? 'closed' : 'failed', { code: byClient ? undefined : (this.#failure ?? fallback) });
      process.stdin.destroy();
    });
  }

  send(data: Uint8Array): void {
    if (this.#waiting !== undefined) tell('dropped', { id: this.#waiting.id, reason: 'no_credit' });
    this.#waiting = { id: (this.#nextId += step), data };
    tell('sent', { id: this.#waiting.id });
    this.#flush();
  }

  update(tag: unknown, parameters: object): void {
    this.#say({ type: 'update', request: this.#tags.push(tag) - 1, parameters });
  }

  hold(): void {
    this.#held = 'after the next';
  }

  release(): void {
    this.#held = 'no';
    this.#finish(this.#results);
    const unread = this.#unread;
    this.#unread = undefined;
    if (unread !== undefined) this.#show(unread);
  }

  close(): void {
    this.#socket.close(1001);
  }

  #hear(message: { readonly type: string } & Fields): void {
    switch (message.type) {
      case 'queued':
        return tell('queued', { position: message['position'] });
      case 'ready': {
        this.#ready = true;
        this.#allowed = Number(message['credits']);
        const { session, server, model, parameters, limits } = message;
        this.#window = Number((limits as Fields)['unacknowledged_results']);
        return tell('ready', { session, server, model, parameters, limits });
      }
      case 'credit':
        this.#allowed = Math.max(this.#allowed, Number(message['total']));
        return this.#flush();
      case 'result':
        this.#results = Number(message['sequence']);
        if (this.#held !== 'yes') this.#show(message);
        else {
          if (this.#unread !== undefined) tell('dropped', { id: this.#unread['id'], reason: 'unread' });
          this.#unread = message;
        }
        return this.#acknowledge();
      case 'dropped': {
        const known = (dropReasons as readonly unknown[]).includes(message['reason']);
        return tell('dropped', { id: message['id'], reason: known ? message['reason'] : 'failed' });
      }
      case 'updated':
        return tell('updated', { ...message, tag: this.#tags[Number(message['request'])] });
      case 'error':
        return this.#fail(message);
    }
  }

  #fail({ code, field, id, request }: Fields): void {
    const known = typeof code === 'string' && Object.hasOwn(errors, code);
    if (known && 'close' in errors[code as keyof typeof errors]) this.#failure = code;
    else if (!this.#ready) {
      tell('failed', { code, field });
      this.close();
    } else if (typeof request === 'number') tell('refused', { tag: this.#tags[request], code, field });
    else tell('error', { code: known ? code : 'internal', id: id ?? undefined, field: field ?? undefined });
  }

  #show({ id, sequence, captured, width, height, data, times }: Fields): void {
    const sha256 = createHash('sha256')
      .update(data as Uint8Array)
      .digest('hex');
    const shown = performance.now();
    const { sent } = times as Fields;
    tell('frame', { id, sequence, captured, width, height, sha256, sent, shown });
    if (this.#held === 'no') this.#finish(Number(sequence));
    else this.#held = 'yes';
  }

  #finish(sequence: number): void {
    this.#done = Math.max(this.#done, sequence);
    this.#acknowledge();
  }

  /** Acknowledges only when the server would otherwise stop sending. */
  #acknowledge(): void {
    const full = this.#results - this.#acknowledged >= this.#window;
    if (!full || this.#done <= this.#acknowledged) return;
    this.#acknowledged = this.#done;
    this.#say({ type: 'ack', sequence: this.#done });
  }

  #flush(): void {
    if (this.#waiting === undefined || this.#sent >= this.#allowed) return;
    const { id, data } = this.#waiting;
    this.#waiting = undefined;
    this.#sent += 1;
    this.#say({ type: 'frame', id, captured: 0, data });
  }

  #say(message: object): void {
    const bytes = encodeMessage(message as never);
    for (let at = 0; at < bytes.length; at += fragment) {
      const fin = at + fragment >= bytes.length;
      this.#socket.send(bytes.subarray(at, at + fragment), { binary: true, fin });
    }
  }
}

let client: FrugalClient | undefined;
createInterface(process.stdin).on('line', (line) => {
  const command = JSON.parse(line) as Fields;
  const tokens = (command['tokens'] ?? []) as readonly string[];
  switch (command['command']) {
    case 'connect':
      client = new FrugalClient(String(command['url']), command['parameters'] as object, tokens[0]);
      return;
    case 'send':
      return client?.send(new Uint8Array(Buffer.from(String(command['data']), 'base64')));
    case 'update':
      return client?.update(command['tag'], {
        ...(command['parameters'] as object),
        ...('style_image' in command && {
          style_image: new Uint8Array(Buffer.from(String(command['style_image']), 'base64')),
        }),
      });
    case 'hold':
      return client?.hold();
    case 'release':
      return client?.release();
    case 'close':
      return client?.close();
    default:
      throw new TypeError(`unknown command: ${line}`);
  }
});
