// The bystander: a user of the client package, in a process of its own. Arguments: URL, parameters as JSON, token.
// It is told a pace (frames a second; null: as many as it can) and says what becomes of its frames.
import { connect } from '@millrace/client';
import type { ParameterUpdate } from '@millrace/protocol';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { realJpegs } from '../../support/pictures.js';
import type { BystanderEvent, BystanderOrder } from './bystander.js';

process.once('disconnect', () => process.exit());
/** Frames that are under way at the same time when it sends as many as it can. */
const inFlight = 2;
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
let greedy = false;
let sent = 0;
let camera: NodeJS.Timeout | undefined;
const send = (): void => void (stream.closed || stream.send(pictures[sent++ % pictures.length]));
stream.on('result', () => {
  tell({ what: 'result', time: Date.now() });
  if (greedy) send();
});
stream.on('dropped', ({ reason }) => {
  tell({ what: `dropped ${reason}`, time: Date.now() });
  if (greedy) send();
});
stream.on('quality', ({ fps }) => tell({ what: `quality ${fps}`, time: Date.now() }));
stream.on('error', ({ code }) => tell({ what: `error ${code}`, time: Date.now() }));
stream.on('close', ({ error }) => {
  clearInterval(camera);
  tell({ what: `closed ${error?.code}`, time: Date.now() });
});
process.on('message', ({ fps }: { readonly fps: number | null }) => {
  clearInterval(camera);
  greedy = fps === null;
  if (fps !== null) camera = setInterval(send, 1000 / fps);
  else for (let i = 0; i < inFlight; i++) send();
});
tell({ what: 'ready', time: Date.now() });
