import { errors, isMap } from '@millrace/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ImageFormat } from '../../image/format.js';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import { errorHeaders } from '../http-error.js';
import { generateFor, type ImageRoutes } from '../images.js';
import { isGiven, readInteger, readParameters, readSize, refuseValue } from './foreign-parameters.js';

/** Room for parameters with a long prompt. */
const bodyLimit = 64 * 1024;
/** What the API calls the parameters. */
const aliases = { num_inference_steps: 'steps', output_compression: 'quality' } as const;
const formats: readonly unknown[] = ['png', 'jpeg', 'webp'];

/** Serves `POST /v1/images/generations` of OpenAI's API: one image from a prompt, as base64. */
export function addOpenAiImages(server: FastifyInstance, routes: Omit<ImageRoutes, 'messageBytes'>): void {
  const refuse = (
    reply: FastifyReply,
    { code, message, details, retryAfter }: ProtocolError,
  ): FastifyReply => {
    routes.metrics.error(code);
    const { status } = errors[code];
    const type = status < 500 ? 'invalid_request_error' : 'server_error';
    return reply
      .code(status)
      .headers(errorHeaders(status, retryAfter))
      .send({ error: { message, type, param: details.field ?? null, code } });
  };
  server.post('/v1/images/generations', { bodyLimit }, async (request, reply) => {
    let wanted: ReturnType<typeof readRequest>;
    try {
      wanted = readRequest(request.body);
    } catch (error) {
      if (error instanceof ProtocolError) return refuse(reply, error);
      throw error;
    }
    const image = await generateFor(request, reply, routes, wanted);
    if (image === null) return reply.hijack();
    if (!(image instanceof Uint8Array)) return refuse(reply, image);
    return reply.header('cache-control', 'no-store').send({
      created: Math.floor(Date.now() / 1000),
      output_format: wanted.format,
      data: [{ b64_json: Buffer.from(image).toString('base64') }],
    });
  });
}

/** @throws {ProtocolError} invalid_parameter */
function readRequest(body: unknown): {
  readonly format: ImageFormat;
  readonly asked: { readonly parameters: object };
} {
  if (!isMap(body)) throw new ProtocolError('invalid_message', 'the body must be a JSON object');
  // `quality` of this API is a word, such as high.
  const {
    n,
    size,
    response_format: answer,
    output_format: format = 'png',
    stream,
    quality: _,
    ...own
  } = body;
  if (isGiven(n)) readInteger('n', n, [1, 1]);
  if (isGiven(answer) && answer !== 'b64_json') refuseValue('response_format', 'b64_json', answer);
  if (isGiven(stream) && stream !== false) refuseValue('stream', 'false', stream);
  if (isGiven(format) && !formats.includes(format)) {
    refuseValue('output_format', `one of ${formats.join(', ')}`, format);
  }
  const shape = isGiven(size) && size !== 'auto' ? readSize('size', size) : {};
  return {
    format: (format ?? 'png') as ImageFormat,
    asked: { parameters: { ...readParameters(own, aliases), ...shape } },
  };
}
