import type { FastifyInstance } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParameterError } from '../engine/engine.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Access } from '../session/access/access.js';
import type { OneShot } from '../session/one-shot.js';
import { ProtocolError } from '../session/wire/protocol-error.js';
import { bearerToken } from './bearer.js';
import { refuser } from './http-error.js';
import { networkOf } from './network.js';
import { originAllowed, type OriginRules } from './origin.js';
import type { OriginLog } from './origin-log.js';

/** Room for parameters with a long, blended prompt. */
const bodyLimit = 64 * 1024;
/** Milliseconds until a request beyond a limit is refused: clients that try again at once take less from the others. */
const refusalMs = 250;

/** Serves `POST /v1/txt2img`: parameters as JSON in, one JPEG out; a header says if the safety checker flagged it. */
export function serveTxt2Img(
  server: FastifyInstance,
  {
    images,
    origins,
    originLog,
    access,
    metrics,
    draining,
  }: {
    readonly images: OneShot;
    readonly origins: OriginRules;
    readonly originLog: OriginLog;
    readonly access: Access;
    readonly metrics: Metrics;
    /** Whether the server is going to stop. */
    readonly draining: () => boolean;
  },
): void {
  const refuse = refuser(metrics);
  server.post('/v1/txt2img', { bodyLimit }, async (request, reply) => {
    const { origin, host } = request.headers;
    if (!originAllowed(origin, host, origins)) {
      originLog.refused(request.headers);
      return refuse(reply, 'forbidden_origin');
    }
    if (draining()) return refuse(reply, 'shutting_down');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    try {
      const grant = await access.verify(bearerToken(request.headers.authorization));
      const name = access.required ? grant.subject : networkOf(request.ip);
      const onFlagged = (): void => void reply.header('millrace-flagged', 'true');
      const caller = { name, grant, gone: gone.signal, onFlagged };
      const image = await images.generate(request.body ?? {}, caller);
      return await reply.type('image/jpeg').header('cache-control', 'no-store').send(image);
    } catch (error) {
      if (error instanceof ProtocolError && isLimit(error)) await sleep(refusalMs);
      if (gone.signal.aborted) return reply.hijack();
      if (error instanceof ParameterError) {
        return refuse(reply, 'invalid_parameter', error.message, { field: error.field });
      }
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message, details, retryAfter } = error;
      return refuse(reply, code, message, { field: details.field, retryAfter });
    }
  });
}

/** Returns whether the same request may be allowed later. */
function isLimit({ code }: ProtocolError): boolean {
  return code === 'rate_limited' || code === 'too_many_sessions';
}
