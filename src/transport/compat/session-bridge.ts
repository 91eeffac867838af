import {
  errors,
  type ClientMessage,
  type ErrorMessage,
  type ParameterName,
  type ParameterUpdate,
  type ServerMessage,
  type StreamParameters,
} from '@millrace/protocol';
import { isDeepStrictEqual } from 'node:util';

/** What a client of another program wants. */
export interface Wanted<Tag> {
  /** Values of parameters; the others stay as they are. */
  readonly parameters?: ParameterUpdate;
  /** The picture to change, an image file. */
  readonly picture?: Uint8Array;
  /** What its answers are known by. */
  readonly tag: Tag;
}

export interface SessionBridgeOptions<Tag> {
  /** Sends a message to the session. */
  readonly tell: (message: ClientMessage) => void;
  /** Whose protocol the client speaks, for logs. */
  readonly client: string;
  /** The access token, if the client has sent one. */
  readonly token: string | undefined;
  /** Called when the parameters are in force. @param from the first frame that has them. */
  readonly onInForce?: (tag: Tag, from: number) => void;
}

/** Pause before an update that came too soon is sent again, in milliseconds. */
const retryMs = 100;
/** The id of the first picture: far from those that the server gives to images that it generates from noise. */
const firstFrame = 2 ** 32;

/**
 * Talks to a session for a client that knows neither credits nor updates: the newest wish waits until there is a credit
 * for its picture and its parameters are in force. The first one opens the session.
 */
export class SessionBridge<Tag> {
  readonly #options: SessionBridgeOptions<Tag>;
  #state: 'new' | 'opening' | 'open' = 'new';
  #parameters: StreamParameters | null = null;
  #next: Wanted<Tag> | null = null;
  /** The wish whose parameters are on their way to the session: by hello, or by an update with this number. */
  #asked: { readonly wanted: Wanted<Tag>; readonly request: number | null } | null = null;
  /** The last wish whose parameters came into force. */
  #settled: Wanted<Tag> | null = null;
  #updates = 0;
  /** Frames that may wait at the server, that may be sent in total, and that were sent. */
  #credits = 0;
  #allowed = 0;
  #sent = 0;
  /** By frame, until it is answered. */
  readonly #tags = new Map<number, Tag>();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: SessionBridgeOptions<Tag>) {
    this.#options = options;
  }

  /** The parameters in force; null until the session is open. */
  get parameters(): StreamParameters | null {
    return this.#parameters;
  }

  /** Whether nothing waits: neither a wish, nor a picture at the server. */
  get free(): boolean {
    const credits = this.#allowed - this.#sent;
    return this.#state === 'open' && this.#next === null && credits >= this.#credits;
  }

  /** Replaces the waiting wish, if there is one. */
  ask(wanted: Wanted<Tag>): void {
    this.#next = wanted;
    this.#proceed();
  }

  /** Reports that the client has taken the results up to this one. */
  acknowledge(sequence: number): void {
    this.#options.tell({ type: 'ack', sequence });
  }

  /** Takes note of a message of the session. @returns the tag of the wish that it answers. */
  hear(message: ServerMessage): Tag | undefined {
    switch (message.type) {
      case 'ready':
        this.#state = 'open';
        this.#parameters = message.parameters;
        this.#credits = message.credits;
        this.#allowed = message.credits;
        return this.#inForce(0);
      case 'updated':
        this.#parameters = message.parameters;
        return this.#inForce(message.from);
      case 'credit':
        this.#allowed = message.total;
        this.#proceed();
        return undefined;
      case 'result':
      case 'dropped': {
        const tag = this.#tags.get(message.id);
        this.#tags.delete(message.id);
        return tag;
      }
      case 'error':
        return this.#refused(message);
      default:
        return undefined;
    }
  }

  /** Stops waiting for anything. */
  end(): void {
    this.#next = null;
    clearTimeout(this.#retry);
  }

  #proceed(): void {
    const wanted = this.#next;
    if (wanted === null || this.#asked !== null) return;
    if (this.#state === 'new') return this.#open(wanted);
    if (wanted !== this.#settled) {
      const changes = this.#changesOf(wanted.parameters);
      if (changes) return this.#update(wanted, changes);
      this.#settle(wanted, 0);
    }
    if (wanted.picture === undefined) this.#next = null;
    else if (this.#sent < this.#allowed) this.#send(wanted.picture, wanted.tag);
  }

  #open(wanted: Wanted<Tag>): void {
    const { tell, client, token } = this.#options;
    this.#state = 'opening';
    this.#asked = { wanted, request: null };
    const { parameters = {} } = wanted;
    tell({ type: 'hello', client: `compat/${client}`, parameters, ...(token !== undefined && { token }) });
  }

  /** Returns the parameters with other values than those in force; null if there are none. */
  #changesOf(parameters: ParameterUpdate = {}): ParameterUpdate | null {
    const changed = Object.entries(parameters).filter(
      // Not as JSON: values are not checked yet, and one of many bytes would take seconds.
      ([name, value]) => !isDeepStrictEqual(value, this.#parameters?.[name as ParameterName]),
    );
    return changed.length === 0 ? null : Object.fromEntries(changed);
  }

  #update(wanted: Wanted<Tag>, parameters: ParameterUpdate): void {
    this.#updates += 1;
    this.#asked = { wanted, request: this.#updates };
    this.#options.tell({ type: 'update', request: this.#updates, parameters });
  }

  #send(data: Uint8Array, tag: Tag): void {
    const id = firstFrame + this.#sent;
    this.#sent += 1;
    this.#next = null;
    this.#tags.set(id, tag);
    this.#options.tell({ type: 'frame', id, captured: performance.now(), data });
  }

  #inForce(from: number): Tag | undefined {
    const asked = this.#asked;
    this.#asked = null;
    if (asked) this.#settle(asked.wanted, from);
    this.#proceed();
    return asked?.wanted.tag;
  }

  #settle(wanted: Wanted<Tag>, from: number): void {
    this.#settled = wanted;
    this.#options.onInForce?.(wanted.tag, from);
  }

  #refused({ code, request, id }: ErrorMessage): Tag | undefined {
    if (id !== undefined) return this.#tags.get(id);
    const asked = this.#asked;
    if (asked === null || (asked.request !== null && asked.request !== request)) return undefined;
    this.#asked = null;
    if (this.#state === 'opening') this.#state = 'new';
    if (errors[code].retryable) {
      this.#retry = setTimeout(() => this.#proceed(), retryMs).unref();
      return undefined;
    }
    if (this.#next === asked.wanted) this.#next = null;
    this.#proceed();
    return asked.wanted.tag;
  }
}

/** Returns whether an error passes without the client's help: these protocols have no word for that. */
export function passes(code: ErrorMessage['code']): boolean {
  return errors[code].retryable && !endsConnection(code);
}

/** Returns whether the session closes the connection after this error. */
export function endsConnection(code: ErrorMessage['code']): boolean {
  return 'close' in errors[code];
}
