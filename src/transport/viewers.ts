import { isMap, showValue, type ViewerLinks } from '@millrace/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';
import type { SessionKeys } from '../session/access/session-keys.js';
import type { Audience, Audiences } from '../session/live/audience.js';
import type { Sessions } from '../session/live/sessions.js';
import { ProtocolError } from '../session/wire/protocol-error.js';
import { bearerToken } from './bearer.js';
import { refuser } from './http-error.js';
import { MultipartViewer, multipartType } from './multipart-viewer.js';
import type { OriginRules } from './origin.js';
import { admitPage, type OriginLog } from './origin-log.js';
import { securityHeaders } from './security-headers.js';

export interface ViewerRoutes {
  readonly sessions: Pick<Sessions, 'find'>;
  readonly keys: SessionKeys;
  readonly audiences: Pick<Audiences, 'limits'>;
  /** How long a link may be used at most, in seconds. */
  readonly linkSeconds: number;
  readonly origins: OriginRules;
  readonly originLog: OriginLog;
  readonly metrics: Metrics;
}

interface OfSession {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly key?: unknown };
}

const notHere = 'This server does not have the session: it has ended, or moved to another server.';

/**
 * Serves the results of sessions to others: `POST /v1/sessions/{id}/links` makes a link for the owner, and
 * `GET /v1/sessions/{id}/mjpeg` sends the pictures to whoever has one.
 */
export function serveViewers(server: FastifyInstance, options: ViewerRoutes): void {
  const { keys, sessions, metrics } = options;
  const refuse = refuser(metrics);
  const refuseError = (reply: FastifyReply, error: unknown): FastifyReply => {
    if (!(error instanceof ProtocolError)) throw error;
    return refuse(reply, error.code, error.message, { field: error.details.field });
  };
  const audienceOf = (id: string): Audience => {
    const session = sessions.find(id);
    if (!session) throw new ProtocolError('not_found', notHere);
    return session.audience;
  };

  server.options<OfSession>('/v1/sessions/:id/links', async (request, reply) => {
    if (!admitReader(request, reply, options)) return refuse(reply, 'forbidden_origin');
    return reply
      .headers({
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-max-age': '600',
      })
      .code(204)
      .send();
  });
  server.post<OfSession>('/v1/sessions/:id/links', async (request, reply) => {
    const { id } = request.params;
    reply.header('cache-control', 'no-store');
    if (!admitReader(request, reply, options)) return refuse(reply, 'forbidden_origin');
    try {
      const key = bearerToken(request.headers.authorization) ?? '';
      if (!keys.isOfOwner(id, key)) throw new ProtocolError('unauthorized');
      const audience = audienceOf(id);
      const seconds = readSeconds(request.body, options);
      audience.invite();
      const query = `?key=${keys.ofViewer(id, seconds)}`;
      return await reply.code(201).send({
        view: `view/${id}${query}`,
        mjpeg: `v1/sessions/${id}/mjpeg${query}`,
        expires_seconds: seconds,
      } satisfies ViewerLinks);
    } catch (error) {
      return refuseError(reply, error);
    }
  });

  /** Returns the viewers that the link of a request leads to. @throws {ProtocolError} invalid_link, not_found */
  const follow = ({ params: { id }, query: { key } }: FastifyRequest<OfSession>): Audience => {
    if (typeof key !== 'string' || !keys.isOfViewer(id, key)) throw new ProtocolError('invalid_link');
    return audienceOf(id);
  };
  server.head<OfSession>('/v1/sessions/:id/mjpeg', async (request, reply) => {
    try {
      follow(request);
      return await reply.headers(pictureHeaders).send();
    } catch (error) {
      return refuseError(reply, error);
    }
  });
  server.get<OfSession>('/v1/sessions/:id/mjpeg', { exposeHeadRoute: false }, async (request, reply) => {
    try {
      const { raw } = reply;
      // Behind another answer (HTTP pipelining), this one would never hear that the connection has closed.
      if (raw.socket === null) throw new ProtocolError('rate_limited', needsConnection);
      const viewer = new MultipartViewer(raw, { metrics });
      const leave = follow(request).join(viewer);
      raw.once('close', leave);
      raw.writeHead(200, { ...securityHeaders, ...pictureHeaders });
      viewer.begin();
      return await reply.hijack();
    } catch (error) {
      return refuseError(reply, error);
    }
  });
}

const needsConnection = 'The pictures need a connection of their own: send the request over another.';

const pictureHeaders: Readonly<Record<string, string>> = {
  'content-type': multipartType,
  'cache-control': 'no-store',
  // nginx would gather pictures before it passes them on.
  'x-accel-buffering': 'no',
};

/** Returns whether the page of a request may ask; it may then read the answer too. */
function admitReader(
  { headers, raw }: FastifyRequest<OfSession>,
  reply: FastifyReply,
  routes: ViewerRoutes,
): boolean {
  if (!admitPage(raw, routes)) return false;
  const { origin } = headers;
  if (origin !== undefined) reply.headers({ 'access-control-allow-origin': origin, vary: 'origin' });
  return true;
}

/** Returns for how many seconds a link will be valid. @throws {ProtocolError} invalid_message, limit_exceeded */
function readSeconds(body: unknown, { linkSeconds, audiences }: ViewerRoutes): number {
  if (audiences.limits.perSession === 0) {
    throw new ProtocolError('limit_exceeded', 'This server allows no viewers (maxViewersPerSession is 0).');
  }
  const { seconds = linkSeconds }: { readonly seconds?: unknown } = isMap(body) ? body : {};
  if (typeof seconds !== 'number' || !(seconds >= 1)) {
    const words = `seconds must be a number from 1 to ${linkSeconds}, not ${showValue(seconds)}`;
    throw new ProtocolError('invalid_message', words, { field: 'seconds' });
  }
  if (seconds > linkSeconds) {
    const words = `a link of this server is valid for at most ${linkSeconds} seconds (viewLinkSeconds), not ${seconds}`;
    throw new ProtocolError('limit_exceeded', words, { field: 'seconds' });
  }
  return seconds;
}
