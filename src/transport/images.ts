import { styleImageBytes } from '@millrace/protocol';
import fastifyMultipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParameterError } from '../engine/engine.js';
import type { ImageFormat } from '../image/format.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Access } from '../session/access/access.js';
import type { Asked, ImageRequest, OneShot } from '../session/one-shot.js';
import { ProtocolError } from '../session/wire/protocol-error.js';
import { bearerToken } from './bearer.js';
import { refuser } from './http-error.js';
import { formLimits, readForm } from './image-form.js';
import type { ConnectionGuard } from './connection-guard.js';
import { networkOf } from './network.js';
import type { OriginRules } from './origin.js';
import { admitPage, type OriginLog } from './origin-log.js';

export interface ImageRoutes {
  readonly guard: Pick<ConnectionGuard, 'clientOf'>;
  readonly images: OneShot;
  readonly origins: OriginRules;
  readonly originLog: OriginLog;
  readonly access: Access;
  readonly metrics: Metrics;
  /** Whether the server is going to stop. */
  readonly draining: () => boolean;
  /** Bytes that the pictures of a request may have together. */
  readonly messageBytes: number;
}

/** Room for parameters with a long, blended prompt. */
const usualBytes = 64 * 1024;
/** Room for a style image in base64. */
const styleBytes = 4 * Math.ceil(styleImageBytes / 3);
/** Milliseconds until a request beyond a limit is refused: clients that try again at once take less from the others. */
const refusalMs = 250;

const formats: Readonly<Record<string, ImageFormat>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
};

/**
 * Serves single images: `POST /v1/generate` takes a form (multipart/form-data) with an image, or parameters as JSON,
 * and answers with the media type that `Accept` prefers; `POST /v1/txt2img` takes JSON and answers with a JPEG.
 */
export async function serveImages(server: FastifyInstance, options: ImageRoutes): Promise<void> {
  const { images, messageBytes } = options;
  const bodyLimit = usualBytes + (images.takesStyle ? styleBytes : 0);
  server.post('/v1/txt2img', { bodyLimit }, async (request, reply) =>
    answer(request, reply, options, { format: 'jpeg', asked: { parameters: request.body ?? {} } }),
  );
  await server.register(async (scope) => {
    await scope.register(fastifyMultipart, { limits: formLimits(messageBytes) });
    scope.post('/v1/generate', { bodyLimit }, async (request, reply) => {
      const mediaType = new Negotiator(request).mediaType(Object.keys(formats));
      const format = formats[mediaType ?? ''];
      reply.header('vary', 'accept');
      if (format === undefined) return refuser(options.metrics)(reply, 'not_acceptable');
      const asked = request.isMultipart()
        ? (): Promise<ImageRequest> => readForm(request, messageBytes)
        : { parameters: request.body ?? {} };
      return answer(request, reply, options, { format, asked });
    });
  });
}

/** What an image is made from, and its format. */
interface Wanted {
  readonly format: ImageFormat;
  readonly asked: Asked;
}

/** Answers a request with its image, or says why there is none. */
async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: ImageRoutes,
  wanted: Wanted,
): Promise<FastifyReply> {
  const image = await generateFor(request, reply, routes, wanted);
  if (image === null) return reply.hijack();
  if (image instanceof Uint8Array) {
    return reply.type(`image/${wanted.format}`).header('cache-control', 'no-store').send(image);
  }
  const { code, message, details, retryAfter } = image;
  return refuser(routes.metrics)(reply, code, message, { field: details.field, retryAfter });
}

/** Returns the image that a request asks for, or why it is refused; null if the client is gone. */
export async function generateFor(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: Omit<ImageRoutes, 'metrics' | 'messageBytes'>,
  { format, asked }: Wanted,
): Promise<Uint8Array | ProtocolError | null> {
  if (!admitPage(request.raw, routes)) return new ProtocolError('forbidden_origin');
  const { guard, images, access, draining } = routes;
  if (draining()) return new ProtocolError('shutting_down');
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  try {
    const grant = await access.verify(bearerToken(request.headers.authorization));
    const name = access.required ? grant.subject : networkOf(guard.clientOf(request.raw));
    const onFlagged = (): void => void reply.header('millrace-flagged', 'true');
    return await images.generate(asked, { name, grant, gone: gone.signal, format, onFlagged });
  } catch (error) {
    if (error instanceof ProtocolError && isLimit(error)) await sleep(refusalMs);
    if (gone.signal.aborted) return null;
    if (error instanceof ProtocolError) return error;
    if (!(error instanceof ParameterError)) throw error;
    return new ProtocolError('invalid_parameter', error.message, { field: error.field });
  }
}

/** Returns whether the same request may be allowed later. */
function isLimit({ code }: ProtocolError): boolean {
  return code === 'rate_limited' || code === 'too_many_sessions';
}
