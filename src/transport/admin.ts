import type { Overview, SessionRow } from '@millrace/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EngineState } from '../engine/engine.js';
import type { Metrics } from '../metrics/metrics.js';
import { windowMs } from '../metrics/recent.js';
import type { Sampler } from '../metrics/sampler.js';
import type { Capacity } from '../session/admission/capacity.js';
import type { Slo } from '../session/admission/slo.js';
import type { Connections } from '../session/connection/connections.js';
import { refuser } from './http-error.js';
import type { OriginLog } from './origin-log.js';
import { roleOf, type OperatorRules, type Role } from './operator.js';

export interface AdminOptions {
  readonly rules: OperatorRules;
  readonly originLog: OriginLog;
  /** Name and version of this software. */
  readonly server: string;
  readonly model: { readonly name: string; readonly description: string };
  readonly engineState: () => EngineState;
  readonly capacity: Pick<Capacity, 'rowsPerSecond'>;
  /** The service level objective (SLO) of a session. */
  readonly slo: Slo;
  readonly connections: Connections;
  readonly sampler: Sampler;
  readonly metrics: Metrics;
  /** Whether the last picture of each session is shown. */
  readonly thumbnails: boolean;
  /** Sends all clients elsewhere. */
  readonly drain: () => void;
}

/** Maximum number of sessions in one answer. */
const mostSessions = 200;

/** Serves the requests of the dashboard: `/v1/admin`. */
export function serveAdmin(server: FastifyInstance, options: AdminOptions): void {
  const { rules, originLog, connections, sampler, metrics, thumbnails } = options;
  const refuse = refuser(metrics);
  /** Returns the role of a request if it is allowed; otherwise answers with an error and returns null. */
  const authorize = async (
    request: FastifyRequest,
    reply: FastifyReply,
    allowed: readonly Role[],
  ): Promise<Role | null> => {
    reply.header('cache-control', 'no-store');
    const role = await roleOf(request, rules);
    if (role !== null && role !== 'foreign' && allowed.includes(role)) return role;
    if (role === 'foreign') originLog.refused(request.raw);
    await refuse(reply, role === 'foreign' ? 'forbidden_origin' : 'unauthorized');
    return null;
  };

  server.get<{ Querystring: { readonly after?: unknown } }>('/v1/admin/overview', async (request, reply) => {
    const role = await authorize(request, reply, ['reader', 'admin']);
    if (role === null) return reply;
    const after = Number(request.query.after);
    const listed = connections.summaries(mostSessions);
    return reply.send({
      time: Date.now(),
      role,
      adminToken: rules.adminToken !== '',
      windowSeconds: windowMs / 1000,
      thumbnails: thumbnails && role === 'admin',
      ...describe(options),
      sessions: role === 'admin' ? listed : listed.map(withoutPerson),
      history: sampler.after(Number.isFinite(after) ? after : 0),
    } satisfies Overview);
  });

  server.get<{ Params: { readonly id: string } }>(
    '/v1/admin/sessions/:id/picture',
    async (request, reply) => {
      const role = await authorize(request, reply, ['admin']);
      if (role === null) return reply;
      const picture = thumbnails ? connections.picture(request.params.id) : null;
      if (picture === null) return refuse(reply, 'not_found');
      return reply.type('image/jpeg').send(Buffer.from(picture));
    },
  );

  server.delete<{ Params: { readonly id: string } }>('/v1/admin/sessions/:id', async (request, reply) => {
    const role = await authorize(request, reply, ['admin']);
    if (role === null) return reply;
    const { id } = request.params;
    if (!connections.end(id)) return refuse(reply, 'not_found', 'This server has no session with this id.');
    request.log.warn({ session: id, ...whoAsks(request) }, 'an admin has ended a session');
    return reply.code(204).send();
  });

  server.post('/v1/admin/drain', async (request, reply) => {
    const role = await authorize(request, reply, ['admin']);
    if (role === null) return reply;
    if (!connections.draining) {
      request.log.warn(whoAsks(request), 'an admin asks the server to drain');
      options.drain();
    }
    return reply.code(202).send({ draining: true });
  });
}

/** Returns who sent a request, for the log; behind a proxy, also the addresses in its header. */
function whoAsks({ ip, headers }: FastifyRequest): Readonly<Record<string, unknown>> {
  const forwarded = headers['x-forwarded-for'];
  return { address: ip, ...(forwarded !== undefined && { forwarded: String(forwarded).slice(0, 200) }) };
}

/** Returns what readers see of a session: nothing that identifies a person. */
function withoutPerson(summary: SessionRow): SessionRow {
  return { ...summary, address: null, picture: false };
}

type Description = Pick<Overview, 'server' | 'model' | 'engine' | 'ready' | 'draining' | 'slo' | 'counts'>;

/** Returns what runs, and how much it can carry. */
function describe({ server, model, engineState, capacity, slo, connections }: AdminOptions): Description {
  const state = engineState();
  const census = connections.census();
  const ready = state.name === 'ready';
  return {
    server,
    model,
    engine: {
      state: state.name,
      doing: 'what' in state ? state.what : null,
      device: ready ? state.device : null,
      rowsPerSecond: ready ? capacity.rowsPerSecond : null,
    },
    ready: ready && !census.draining,
    draining: census.draining,
    slo,
    counts: { ...census.sessions, slots: census.slots, limited: census.limited },
  };
}
