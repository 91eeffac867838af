import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionGuard } from './connection-guard.js';
import { answerRaw, type RawAnswer } from './raw-answer.js';

/** How long a request may take to arrive, in milliseconds: its headers, and all of it. */
const requestTimeout = 10_000;
/** How often the server checks for slow requests, in milliseconds. */
const checkInterval = 1000;
/** How long a connection may neither send nor receive, in milliseconds: longer than any picture takes. */
const inactivityTimeout = 300_000;
/** In milliseconds; longer than that of proxies, so that they close first. */
const keepAliveTimeout = 72_000;

/** Creates a Node.js HTTP server with time limits, limited connections, and our form of error answers. */
export function createNodeServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  guard: ConnectionGuard,
  timeout = requestTimeout,
): Server {
  const options = {
    requestTimeout: timeout,
    headersTimeout: timeout,
    connectionsCheckingInterval: Math.min(checkInterval, timeout),
    keepAliveTimeout,
    // Checked elsewhere: the answer of Node.js lacks our headers.
    requireHostHeader: false,
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (guard.admit(request, response)) handler(request, response);
  };
  const server = createServer(options, serve);
  // Node.js handles `Expect: 100-continue`; anything else is ignored, as RFC 9110 section 10.1.1 allows.
  server.on('checkExpectation', serve);
  server.on('connect', (_request, socket: Duplex) => answerRaw(socket, { code: 'not_found' }));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || guard.isAnswering(socket)) socket.destroy();
    else answerRaw(socket, faultOf(error.code));
  });
  server.setTimeout(inactivityTimeout);
  guard.watch(server);
  return server;
}

/** Returns the answer to an invalid request. */
function faultOf(code: string | undefined): RawAnswer {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        code: 'invalid_message',
        status: 408,
        message: 'The request did not arrive within the time limit; send it faster.',
      };
    case 'HPE_HEADER_OVERFLOW':
      return { code: 'message_too_large', status: 431, message: 'The headers of the request are too large.' };
    default:
      return { code: 'invalid_message', message: 'This is not a valid HTTP/1.1 request.' };
  }
}
