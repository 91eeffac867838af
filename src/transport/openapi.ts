import fastifySwagger from '@fastify/swagger';
import { errors, type ErrorCode } from '@millrace/protocol';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';

interface RouteText {
  readonly summary: string;
  readonly description?: string;
  /** By media type; absent: there is no body. */
  readonly body?: Readonly<Record<string, object>>;
  /** What comes with each status other than an error, by media type. */
  readonly answers: Readonly<Record<number, Readonly<Record<string, object>>>>;
  readonly errors: readonly ErrorCode[];
}

const object = { type: 'object' };
const file = { type: 'string', format: 'binary' };
const linkBody = {
  type: 'object',
  properties: { seconds: { type: 'number', description: 'How long the links can be opened.' } },
};
const picture = { 'image/jpeg': file, 'image/png': file, 'image/webp': file };
const asImage: readonly ErrorCode[] = [
  'invalid_message',
  'invalid_parameter',
  'unauthorized',
  'forbidden_origin',
  'limit_exceeded',
  'unsupported_mode',
  'message_too_large',
  'rate_limited',
  'too_many_sessions',
  'not_ready',
  'generation_failed',
  'engine_failed',
  'shutting_down',
];
const asOperator: readonly ErrorCode[] = ['unauthorized', 'forbidden_origin'];

/** Returns what the document says of each route. @param parameters JSON Schema of the parameters. */
function routeTexts(parameters: object): Readonly<Record<string, RouteText>> {
  const json = { 'application/json': parameters };
  return {
    'POST /v1/generate': {
      summary: 'Generate one image from an image, a prompt, or both',
      description:
        'A form has the image to change as the file `image`, optionally a `mask` and `controls.NAME`, and parameters ' +
        'under their own names. Without an image, send parameters as JSON. `Accept` selects the format.',
      body: { 'multipart/form-data': formOf(parameters), ...json },
      answers: { 200: picture },
      errors: [...asImage, 'invalid_frame', 'not_acceptable'],
    },
    'POST /v1/txt2img': {
      summary: 'Generate one JPEG from a prompt',
      body: json,
      answers: { 200: { 'image/jpeg': file } },
      errors: asImage,
    },
    'GET /v1/capabilities': {
      summary: 'The model, its styles, parameters and limits',
      answers: { 200: { 'application/json': object } },
      errors: [],
    },
    'GET /v1/styles': {
      summary: 'The styles and moods that prompts of this model can name',
      answers: { 200: { 'application/json': object } },
      errors: [],
    },
    'GET /v1/stream': {
      summary: 'The address of the WebSocket; says why a connection would be refused',
      answers: {},
      errors: ['unsupported_protocol', 'forbidden_origin', 'not_ready', 'shutting_down'],
    },
    'GET /healthz': {
      summary: 'Whether the process works; it may still be loading its model',
      answers: { 200: { 'application/json': object }, 503: { 'application/json': object } },
      errors: [],
    },
    'GET /readyz': {
      summary: 'Whether the server is ready for streams, and how many it can serve',
      answers: { 200: { 'application/json': object }, 503: { 'application/json': object } },
      errors: [],
    },
    'GET /metrics': {
      summary: 'Metrics for Prometheus',
      answers: { 200: { 'text/plain': { type: 'string' } } },
      errors: ['unauthorized'],
    },
    'GET /v1/openapi.json': {
      summary: 'This document',
      answers: { 200: { 'application/json': object } },
      errors: [],
    },
    'POST /v1/sessions/:id/links': {
      summary: 'Make links with which others can watch the results of a session',
      description: 'The bearer token is the `key` that the owner of the session got in `ready`.',
      body: { 'application/json': linkBody },
      answers: { 201: { 'application/json': object } },
      errors: ['invalid_message', 'unauthorized', 'forbidden_origin', 'limit_exceeded', 'not_found'],
    },
    'GET /v1/sessions/:id/mjpeg': {
      summary:
        'The results of a session as Motion JPEG, by a link of its owner; HEAD says whether the link leads to one',
      answers: { 200: { 'multipart/x-mixed-replace': file } },
      errors: ['invalid_link', 'not_found', 'rate_limited', 'too_many_viewers'],
    },
    'GET /v1/admin/overview': {
      summary: 'State, sessions and recent history, for dashboards',
      answers: { 200: { 'application/json': object } },
      errors: asOperator,
    },
    'GET /v1/admin/sessions/:id/picture': {
      summary: 'The last picture of a session',
      answers: { 200: { 'image/jpeg': file } },
      errors: [...asOperator, 'not_found'],
    },
    'DELETE /v1/admin/sessions/:id': {
      summary: 'End a session for good',
      answers: { 204: {} },
      errors: [...asOperator, 'not_found'],
    },
    'POST /v1/admin/drain': {
      summary: 'Send all clients elsewhere and stop',
      answers: { 202: { 'application/json': object } },
      errors: asOperator,
    },
  };
}

/**
 * Describes the routes that are added afterwards, and serves the document (OpenAPI 3.1) at `GET /v1/openapi.json`.
 * @param parameters JSON Schema of the parameters of the model.
 */
export async function describeRoutes(
  server: FastifyInstance,
  { version, parameters }: { readonly version: string; readonly parameters: object },
): Promise<void> {
  const texts = routeTexts(parameters);
  // The schemas describe; requests are checked where they are used, with better messages.
  server.setValidatorCompiler(() => () => true);
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.addHook('onRoute', (route: RouteOptions) => {
    const text = texts[`${String(route.method)} ${route.url}`];
    route.schema = text ? schemaOf(text) : { hide: true };
  });
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Millrace', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{}, { bearer: [] }],
    },
  });
  server.get('/v1/openapi.json', async (_request, reply) =>
    reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'no-cache' }).send(server.swagger()),
  );
}

function schemaOf({ summary, description, body, answers, errors: codes }: RouteText): FastifySchema {
  const response: Record<string, object> = {};
  for (const [status, content] of Object.entries(answers)) response[status] = answerOf(summary, content);
  for (const status of new Set(codes.map((code) => errors[code].status))) {
    const several = codes.filter((code) => errors[code].status === status);
    const meaning = several.map((code) => `\`${code}\`: ${errors[code].meaning}`).join(' ');
    response[status] ??= answerOf(meaning, { 'application/json': errorSchema(several) });
  }
  return {
    summary,
    ...(description !== undefined && { description }),
    ...(body && { body: { content: contentOf(body) } }),
    response,
  };
}

function answerOf(description: string, content: Readonly<Record<string, object>>): object {
  // An answer without a body: the generator of the document fails at an empty map.
  if (Object.keys(content).length === 0) return { description, type: 'null' };
  return { description, content: contentOf(content) };
}

function contentOf(schemas: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }]));
}

function errorSchema(codes: readonly ErrorCode[]): object {
  return {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { enum: codes },
          message: { type: 'string' },
          field: { type: 'string', description: 'The parameter at fault.' },
        },
      },
    },
  };
}

/** Returns the schema of a form: the pictures, and each parameter as text. */
function formOf(parameters: object): object {
  const properties = 'properties' in parameters ? (parameters.properties as object) : {};
  return { type: 'object', properties: { image: file, mask: file, ...properties } };
}
