// The bystander: a user of the client package, in a separate process. It gets a BystanderOrder, then paces (frames a
// second; null: as many as it can), and sends an event for each of its frames.
import { connect } from '@millrace/client';
import type { ParameterUpdate } from '@millrace/protocol';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { realJpegs } from '../../support/pictures.js';
import type { BystanderEvent, BystanderOrder } from './bystander.js';

process.once('disconnect', () => process.exit());
/** Milliseconds between checks for credits, when it sends as many frames as it can. */
const lookMs = 5;
const [{ url, parameters, token }] = (await once(process, 'message')) as [BystanderOrder];

class OwnAddress extends WebSocket {
  constructor(address: string, protocols: string) {
    super(address, protocols, { localAddress: process.platform === 'linux' ? '127.2.0.1' : '127.0.0.1' });
  }
}

const report = (event: BystanderEvent): void => void process.send?.(event);
const { width, height } = parameters;
const pictures = await realJpegs(width, height);
const stream = await connect(url, {
  webSocket: OwnAddress,
  parameters: { width, height } satisfies ParameterUpdate,
  token,
  reconnectSeconds: 0,
});
let sent = 0;
let camera: NodeJS.Timeout | undefined;
const send = (): void => void (stream.closed || stream.send(pictures[sent++ % pictures.length]));
stream.on('result', () => report({ what: 'result', time: Date.now() }));
stream.on('dropped', ({ reason }) => report({ what: `dropped ${reason}`, time: Date.now() }));
stream.on('quality', ({ fps }) => report({ what: `quality ${fps}`, time: Date.now() }));
stream.on('error', ({ code }) => report({ what: `error ${code}`, time: Date.now() }));
stream.on('close', ({ error }) => {
  clearInterval(camera);
  report({ what: `closed ${error?.code}`, time: Date.now() });
});
process.on('message', ({ fps }: { readonly fps: number | null }) => {
  clearInterval(camera);
  // A picture that waits for a credit becomes stale, so none is sent before there is one.
  const sendAllowed = (): void => {
    while (!stream.closed && stream.credits > 0) send();
  };
  camera = fps === null ? setInterval(sendAllowed, lookMs) : setInterval(send, 1000 / fps);
});
report({ what: 'ready', time: Date.now() });
