import {
  decodeMessage,
  encodeMessage,
  subprotocol,
  type ClientMessage,
  type ParameterUpdate,
  type ServerMessage,
} from '@millrace/protocol';
import { WebSocket } from 'ws';
import type { Target } from '../attack.js';

export interface FramePlan {
  readonly address: string;
  readonly parameters: ParameterUpdate;
  readonly pictures: readonly Uint8Array[];
  /** Number of frames after which it leaves; unlimited by default. */
  readonly frames?: number;
}

/**
 * Connects and sends frames as fast as its credits allow, until it has sent all, the signal aborts, or the server
 * closes the connection. Counts results, drops, errors and close codes.
 */
export async function sendFrames(target: Target, plan: FramePlan, signal: AbortSignal): Promise<void> {
  const { address, parameters, pictures, frames = Infinity } = plan;
  const headers = target.token === undefined ? {} : { authorization: `Bearer ${target.token}` };
  const socket = new WebSocket(`${target.url.replace('http', 'ws')}/v1/stream`, subprotocol, {
    localAddress: address,
    headers,
  });
  const send = (message: ClientMessage): void => socket.send(encodeMessage(message));
  let sent = 0;
  let done = 0;
  const fill = (credits: number): void => {
    while (sent < Math.min(credits, frames) && socket.readyState === WebSocket.OPEN) {
      const data = pictures[sent % pictures.length] ?? new Uint8Array();
      send({ type: 'frame', id: sent++, captured: sent, data });
    }
  };
  const finish = (): void => {
    done += 1;
    if (done >= frames) socket.close(1000);
  };
  socket.on('open', () => send({ type: 'hello', parameters }));
  socket.on('message', (data: Buffer) => {
    const message = decodeMessage(new Uint8Array(data)) as unknown as ServerMessage;
    if (message.type === 'ready') fill(message.credits);
    if (message.type === 'credit') fill(message.total);
    if (message.type === 'error') target.count(`error ${message.code}`);
    if (message.type === 'dropped') target.count(`dropped ${message.reason}`);
    if (message.type === 'result') {
      target.count('results');
      send({ type: 'ack', sequence: message.sequence });
    }
    if (message.type === 'result' || message.type === 'dropped') finish();
  });
  await ended(socket, target, signal);
}

/** Waits for the end of the connection. @throws {Error} (as rejection) if it failed or the upgrade was refused. */
async function ended(socket: WebSocket, target: Target, signal: AbortSignal): Promise<void> {
  const stop = (): void => socket.terminate();
  signal.addEventListener('abort', stop);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      socket.once('close', resolve);
      socket.once('error', reject);
    });
    if (code !== 1000 && !signal.aborted) target.count(`close ${code}`);
  } finally {
    signal.removeEventListener('abort', stop);
    // Without a listener, a further error would end this process.
    socket.on('error', () => {});
  }
}
