import { encodeMessage, subprotocol } from '@millrace/protocol';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { rawFrame } from '../../faults/raw-peer.js';
import type { Target } from '../attack.js';

/** Opens a stream of the protocol. Returns its socket, which takes any bytes; responses are discarded. */
export async function openRawStream(target: Target, address: string, signal: AbortSignal): Promise<Socket> {
  const upgrade = request(`${target.url}/v1/stream`, {
    localAddress: address,
    signal,
    headers: {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      'sec-websocket-protocol': subprotocol,
    },
  });
  upgrade.end();
  const [response, socket] = await Promise.race([
    once(upgrade, 'upgrade') as Promise<[IncomingMessage, Socket]>,
    once(upgrade, 'response').then(([refusal]) => {
      const { statusCode } = refusal as IncomingMessage;
      upgrade.destroy();
      throw Object.assign(new Error('refused'), { code: statusCode });
    }),
  ]);
  response.resume();
  socket.on('error', () => {});
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  const hello = encodeMessage({ type: 'hello', parameters: { width: 64, height: 64 } });
  socket.write(rawFrame({ opcode: 2, payload: hello }));
  const ready = Buffer.from('ready');
  for (let heard = Buffer.alloc(0); !heard.includes(ready);) {
    const data = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => null)]);
    if (data === null) throw new Error('closed before it was ready');
    heard = Buffer.concat([heard, data[0] as Buffer]);
  }
  socket.resume();
  return socket;
}

/** Writes bytes as fast as the peer reads them, until it closes or the signal aborts. */
export async function flood(socket: Socket, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const closed = new AbortController();
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  socket.once('close', () => closed.abort());
  try {
    while (!socket.destroyed) {
      if (!socket.write(bytes)) await once(socket, 'drain', { signal: closed.signal });
    }
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
