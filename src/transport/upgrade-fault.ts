import { subprotocol } from '@millrace/protocol';
import type { IncomingMessage } from 'node:http';
import { foreignHost, hostAllowed, originAllowed, type OriginRules } from './origin.js';
import type { RawAnswer } from './raw-answer.js';

/** Why a request for the stream is refused if it is not a WebSocket upgrade. */
export const noUpgrade =
  'The stream is a WebSocket: the request must have the headers Upgrade: websocket and Connection: Upgrade, ' +
  `and offer the subprotocol ${subprotocol}. A proxy in between must pass them on.`;

const otherUpgrade = 'This address is served over HTTP/1.1: send the request without the header Upgrade.';

/**
 * Returns why the headers of an upgrade request are refused; null if they are not.
 * @param isForeign whether its address speaks the protocol of another program, which has no subprotocol.
 */
export function upgradeFault(
  { url, headers }: IncomingMessage,
  origins: OriginRules,
  isForeign: boolean,
): RawAnswer | null {
  const { origin, host, upgrade, 'sec-websocket-protocol': offered = '' } = headers;
  if (!hostAllowed(host, origins)) return { code: 'forbidden_origin', message: foreignHost };
  const forStream = isForeign || url?.split('?')[0] === '/v1/stream';
  const webSocket = upgrade?.toLowerCase() === 'websocket';
  // Some HTTP clients offer HTTP/2 (h2c) with every request.
  if (!forStream && !webSocket) return { code: 'unsupported_protocol', message: otherUpgrade };
  if (!forStream) return { code: 'not_found' };
  if (!originAllowed(origin, host, origins)) return { code: 'forbidden_origin' };
  if (!webSocket) {
    return {
      code: 'unsupported_protocol',
      status: 426,
      message: noUpgrade,
      headers: { upgrade: 'websocket', connection: 'upgrade, close' },
    };
  }
  const protocols = offered.split(',').map((name) => name.trim());
  if (isForeign || protocols.includes(subprotocol)) return null;
  const names = offered === '' ? 'none' : JSON.stringify(offered.slice(0, 100));
  return {
    code: 'unsupported_protocol',
    message: `The client must offer the subprotocol ${subprotocol}; it offered ${names}.`,
  };
}
