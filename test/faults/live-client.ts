// A client in its own process, so that it can be stopped: sends frames at a steady rate, and shows results as the
// protocol requires. Arguments: the URL, parameters as JSON, and the frame interval in milliseconds. Prints a line of
// JSON for each result that it shows.
import {
  decodeMessage,
  encodeMessage,
  subprotocol,
  type ParameterUpdate,
  type ServerMessage,
} from '@millrace/protocol';
import { WebSocket } from 'ws';
import { encodeJpeg } from '../../src/image/encode.js';
import { testImage } from '../support/engine.js';

const [, , url = '', parameters = '{}', interval = '40'] = process.argv;
const frameInterval = Number(interval);
const size = { width: 64, height: 64 };
const chosen = JSON.parse(parameters) as ParameterUpdate;
const picture = await encodeJpeg(testImage(0, size), 90);

const socket = new WebSocket(url, subprotocol);
let credits = 0;
let sent = 0;
/** Time of the last message. */
let lastRead = performance.now();
/** Until this time, results are checked for their age. */
let checkUntil = 0;

socket.on('open', () => {
  const hello = { type: 'hello', parameters: { ...size, ...chosen }, sent: performance.now() } as const;
  socket.send(encodeMessage(hello));
});
socket.on('message', (data: Buffer) => {
  const now = performance.now();
  if (now - lastRead > 4 * frameInterval) checkUntil = now + 4 * frameInterval;
  lastRead = now;
  const message = decodeMessage(new Uint8Array(data)) as unknown as ServerMessage;
  if (message.type === 'ready') {
    credits = message.credits;
    setInterval(sendFrame, frameInterval);
  }
  if (message.type === 'credit') credits = message.total;
  if (message.type !== 'result') return;
  socket.send(encodeMessage({ type: 'ack', sequence: message.sequence }));
  const old = now < checkUntil && now - message.times.sent > frameInterval + 20;
  if (!old) process.stdout.write(`${JSON.stringify({ id: message.id, captured: message.captured, now })}\n`);
});

function sendFrame(): void {
  if (sent >= credits) return;
  const frame = { type: 'frame', id: sent++, captured: performance.now(), data: picture } as const;
  socket.send(encodeMessage(frame));
}
