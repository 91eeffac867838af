// Drives @millrace/client for the conformance suite, also in Deno and Bun; README.md describes the commands and events.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { connect, MillraceError, type MillraceStream } from '@millrace/client';

type Fields = Readonly<Record<string, unknown>>;

function tell(event: string, fields: Fields = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

function described(error: MillraceError): Fields {
  return { code: error.code, field: error.field, id: error.frame };
}

/** While the consumer is held, it requests no further frame. */
class Gate {
  #open: () => void = () => {};
  #passable = Promise.resolve();

  hold(): void {
    this.#passable = new Promise((resolve) => (this.#open = resolve));
  }

  release(): void {
    this.#open();
  }

  passed(): Promise<void> {
    return this.#passable;
  }
}

const gate = new Gate();
// Node 20 has no WebSocket client.
const webSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;
let stream: MillraceStream | undefined;

async function open(url: string, parameters: object, tokens: readonly string[]): Promise<void> {
  const left = tokens.values();
  try {
    stream = await connect(url, {
      parameters,
      webSocket,
      client: 'conformance/1',
      token: tokens.length > 0 ? () => left.next().value ?? '' : undefined,
      queued: ({ position }) => tell('queued', { position }),
    });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    tell('failed', described(error));
    return;
  }
  const { session, server, model, limits } = stream;
  tell('ready', { session, server, model, limits, parameters: stream.parameters });
  stream.on('dropped', ({ id, reason }) => tell('dropped', { id, reason }));
  stream.on('error', (error) => tell('error', described(error)));
  stream.on('reconnecting', () => tell('reconnecting'));
  stream.on('reconnected', ({ resumed }) => tell('reconnected', { resumed }));
  stream.on('drain', () => tell('drain'));
  stream.on('close', ({ error }) => tell('closed', { code: error?.code }));
  void show(stream);
}

async function show(stream: MillraceStream): Promise<void> {
  try {
    for await (const { id, sequence, captured, width, height, times, data } of stream.frames({
      skipRefused: true,
    })) {
      const sha256 = createHash('sha256').update(data).digest('hex');
      tell('frame', {
        id,
        sequence,
        captured,
        width,
        height,
        sha256,
        sent: times.sent,
        shown: performance.now(),
      });
      await gate.passed();
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
  }
}

async function update(tag: unknown, parameters: object): Promise<void> {
  try {
    const answer = await stream?.update(parameters);
    tell('updated', { tag, from: answer?.from, parameters: answer?.parameters });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    tell('refused', { tag, ...described(error) });
  }
}

function bytesOf(base64: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(String(base64), 'base64'));
}

function controlsOf({ controls }: Fields): Readonly<Record<string, Uint8Array>> | undefined {
  if (controls === undefined) return undefined;
  const entries = Object.entries(controls as Fields).map(([name, data]) => [name, bytesOf(data)] as const);
  return Object.fromEntries(entries);
}

createInterface(process.stdin).on('line', (line) => {
  const command = JSON.parse(line) as Fields;
  const parameters = command['parameters'] as object;
  switch (command['command']) {
    case 'connect':
      void open(String(command['url']), parameters, (command['tokens'] ?? []) as readonly string[]);
      return;
    case 'send':
      tell('sent', {
        id: stream?.send(bytesOf(command['data']), {
          mask: 'mask' in command ? bytesOf(command['mask']) : undefined,
          controls: controlsOf(command),
        }),
      });
      return;
    case 'update':
      void update(command['tag'], {
        ...parameters,
        ...('style_image' in command && { style_image: bytesOf(command['style_image']) }),
      });
      return;
    case 'hold':
      gate.hold();
      return;
    case 'release':
      gate.release();
      return;
    case 'close':
      process.stdin.destroy();
      void stream?.close();
      return;
    default:
      throw new TypeError(`unknown command: ${line}`);
  }
});
