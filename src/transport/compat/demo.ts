import type { ErrorMessage, ParameterUpdate, ServerMessage } from '@millrace/protocol';
import type { FastifyInstance } from 'fastify';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import { demoSettings, type DemoModel } from './demo-settings.js';
import { readParameters } from './foreign-parameters.js';
import { MotionJpeg } from './motion-jpeg.js';
import { policyClose, type ClientSide, type Conversation, type Program } from './program.js';
import { readJson } from './read-map.js';
import { endsConnection, passes, SessionBridge } from './session-bridge.js';

export interface DemoOptions {
  readonly model: DemoModel;
  readonly defaults: ParameterUpdate;
  /** Returns how many sessions are served or wait, and how many can be served at the same time. */
  readonly occupancy: () => { readonly slots: number; readonly served: number; readonly waiting: number };
}

const socketPath = /^\/api\/ws\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
/** Pause before a client without a picture is asked again, in milliseconds. */
const emptyMs = 50;

/**
 * The protocol of the pages of Real-Time LCM (radames) and of StreamDiffusion's realtime-img2img: a client asks for a
 * WebSocket by a UUID of its own, sends a picture whenever it is asked for one, and shows the results as Motion JPEG by
 * the same UUID, which nobody else knows.
 */
export function createDemo({ model, defaults, occupancy }: DemoOptions): Program {
  const talks = new Map<string, DemoTalk>();
  const settings = demoSettings(model);
  return {
    serves: (path) => socketPath.test(path),
    begin(side) {
      const id = idOf(side.url);
      const talk = new DemoTalk(side, defaults, () => {
        if (talks.get(id) === talk) talks.delete(id);
      });
      talks.set(id, talk);
      return talk;
    },
    addRoutes(server: FastifyInstance) {
      server.get('/api/settings', async (_request, reply) =>
        reply.header('cache-control', 'no-cache').send({ ...settings, max_queue_size: occupancy().slots }),
      );
      server.get('/api/queue', async (_request, reply) => {
        const { served, waiting } = occupancy();
        return reply.header('cache-control', 'no-store').send({ queue_size: served + waiting });
      });
      // An answer to HEAD would stay open without an end.
      const onlyGet = { exposeHeadRoute: false };
      server.get<{ Params: { readonly id: string } }>('/api/stream/:id', onlyGet, async (request, reply) => {
        const talk = talks.get(request.params.id.toLowerCase());
        if (!talk) return reply.code(404).send({ detail: 'User not found: connect to /api/ws first' });
        if (!talk.viewers.hasRoom) return reply.code(429).send({ detail: 'Too many viewers of this user' });
        reply.hijack();
        talk.viewers.add(reply.raw, request.headers['user-agent']);
        return reply;
      });
    },
  };
}

function idOf(url: URL): string {
  return (socketPath.exec(url.pathname)?.[1] ?? '').toLowerCase();
}

/** What the client sends, in this order, over and over. */
type Part = 'status' | 'parameters' | 'picture';

class DemoTalk implements Conversation {
  readonly viewers = new MotionJpeg((sequence) => this.#bridge.acknowledge(sequence));
  readonly #side: ClientSide;
  readonly #defaults: ParameterUpdate;
  readonly #onEnd: () => void;
  readonly #bridge: SessionBridge<null>;
  #expected: Part = 'status';
  /** Whether the client was asked for a picture that it has not sent yet. */
  #asked = false;
  #parameters: ParameterUpdate = {};
  #again: NodeJS.Timeout | undefined;

  constructor(side: ClientSide, defaults: ParameterUpdate, onEnd: () => void) {
    this.#side = side;
    this.#defaults = defaults;
    this.#onEnd = onEnd;
    const token = side.url.searchParams.get('token') ?? undefined;
    this.#bridge = new SessionBridge({ client: 'demo', tell: (message) => side.tell(message), token });
  }

  opened(): void {
    this.#bridge.ask({ tag: null });
  }

  fromClient(data: Buffer, isBinary: boolean): void {
    if (isBinary !== (this.#expected === 'picture')) {
      const form = isBinary ? 'binary' : 'text';
      throw new ProtocolError('invalid_message', `the ${this.#expected} must come next, not ${form}`);
    }
    switch (this.#expected) {
      case 'status': {
        const { status } = readJson(data);
        if (status !== 'next_frame') throw new ProtocolError('invalid_message', 'status must be next_frame');
        this.#expected = 'parameters';
        return;
      }
      case 'parameters':
        this.#parameters = { ...this.#defaults, ...readParameters(readJson(data)) };
        this.#expected = 'picture';
        return;
      case 'picture':
        this.#expected = 'status';
        this.#asked = false;
        this.#take(data);
    }
  }

  fromServer(message: ServerMessage): void {
    this.#bridge.hear(message);
    if (message.type === 'ready') this.#say({ status: 'connected', message: 'Connected' });
    else if (message.type === 'result') this.viewers.show(message);
    else if (message.type === 'error') this.#refuse(message);
    this.#askForPicture();
  }

  ended(): void {
    clearTimeout(this.#again);
    this.#bridge.end();
    this.viewers.close();
    this.#onEnd();
  }

  #take(picture: Buffer): void {
    if (picture.length === 0) {
      // A page whose camera is still starting: answered at once, it would ask and answer without a pause.
      this.#again = setTimeout(() => this.#askForPicture(), emptyMs);
      return;
    }
    this.#say({ status: 'wait' });
    this.#bridge.ask({ parameters: this.#parameters, picture, tag: null });
    this.#askForPicture();
  }

  /** Asks for a picture as soon as none waits here or at the server. */
  #askForPicture(): void {
    if (this.#asked || !this.#bridge.free) return;
    this.#asked = true;
    this.#say({ status: 'send_frame' });
  }

  /** Says why the connection ends: the pages stop at any error. */
  #refuse({ code, message }: ErrorMessage): void {
    if (passes(code)) return;
    this.#say({ status: code === 'idle_timeout' ? 'timeout' : 'error', message });
    if (!endsConnection(code)) this.#side.close(policyClose, code);
  }

  #say(message: object): void {
    this.#side.write(JSON.stringify(message));
  }
}
