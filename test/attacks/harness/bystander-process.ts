// The bystander: a user of the client package, in a process of its own. Arguments: URL, parameters as JSON, token.
// It is told a pace (frames a second; null: as many as it can) and says what becomes of its frames.
import { connect } from '@millrace/client';
import type { ParameterUpdate } from '@millrace/protocol';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { realJpegs } from '../../support/pictures.js';
import type { BystanderEvent, BystanderOrder } from './bystander.js';

process.once('disconnect', () => process.exit());
/** How often it looks for credits, in milliseconds, when it sends as many frames as it can. */
const lookMs = 5;
const [{ url, parameters, token }] = (await once(process, 'message')) as [BystanderOrder];

class OwnAddress extends WebSocket {
  constructor(address: string, protocols: string) {
    super(address, protocols, { localAddress: process.platform === 'linux' ? '127.2.0.1' : '127.0.0.1' });
  }
}

const tell = (event: BystanderEvent): void => void process.send?.(event);
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
stream.on('result', () => tell({ what: 'result', time: Date.now() }));
stream.on('dropped', ({ reason }) => tell({ what: `dropped ${reason}`, time: Date.now() }));
stream.on('quality', ({ fps }) => tell({ what: `quality ${fps}`, time: Date.now() }));
stream.on('error', ({ code }) => tell({ what: `error ${code}`, time: Date.now() }));
stream.on('close', ({ error }) => {
  clearInterval(camera);
  tell({ what: `closed ${error?.code}`, time: Date.now() });
});
process.on('message', ({ fps }: { readonly fps: number | null }) => {
  clearInterval(camera);
  // Not sent before there is a credit: a picture that waits for one grows old.
  const sendAllowed = (): void => {
    while (!stream.closed && stream.credits > 0) send();
  };
  camera = fps === null ? setInterval(sendAllowed, lookMs) : setInterval(send, 1000 / fps);
});
tell({ what: 'ready', time: Date.now() });
