import type { Styles } from '@millrace/protocol';
import type { FastifyInstance } from 'fastify';

/** Adds `GET /v1/styles`: what prompts of the model can name. */
export function serveStyles(server: FastifyInstance, styles: Styles): void {
  server.get('/v1/styles', async (_request, reply) =>
    // As public as the capabilities.
    reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'no-cache' }).send(styles),
  );
}
