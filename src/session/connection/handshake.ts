import type { StreamParameters } from '@millrace/protocol';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ParameterError } from '../../engine/engine.js';
import { checkGrant, type Grant } from '../access/grant.js';
import type { Message } from '../wire/client-message.js';
import type { ConnectionContext } from './context.js';
import { FramePipeline } from '../frames/frame-pipeline.js';
import type { Outlet } from '../wire/outlet.js';
import type { ParameterRules } from '../live/parameter-rules.js';
import { ProtocolError } from '../wire/protocol-error.js';
import type { ResumeState } from '../live/resume-token.js';
import { Session } from '../live/session.js';

/** A client that asks for a session. */
export interface Opening {
  readonly hello: Message<'hello'>;
  readonly grant: Grant;
  readonly outlet: Outlet;
  /** Called whenever the client gets its position in the queue. */
  readonly onQueued: () => void;
  readonly log: Logger;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
}

/**
 * Opens a session, or finds the one that the client resumes. May wait in the queue.
 * @throws {ProtocolError | ParameterError} if the session is refused.
 * @throws {Error} if the engine fails.
 */
export async function openSession(
  context: ConnectionContext,
  opening: Opening,
): Promise<{ readonly session: Session; readonly resumed: boolean }> {
  const { hello, grant } = opening;
  if (context.engine.state.name === 'starting') {
    throw new ProtocolError('not_ready');
  }
  if (hello.resume !== undefined)
    return { session: await resume(context, opening, hello.resume), resumed: true };
  const update = await context.styleImages.prepareOnce(context.rules.check(hello.parameters));
  const parameters = { ...context.rules.defaults, ...update };
  checkGrant(grant.limits, parameters);
  context.capacity.checkCall(parameters);
  return { session: await createSession(context, opening, parameters, null), resumed: false };
}

async function resume(context: ConnectionContext, opening: Opening, token: string): Promise<Session> {
  const { sessions, tokens, model } = context;
  const state = tokens.open(token);
  const valid = state && state.subject === opening.grant.subject && state.model === model;
  if (!valid || sessions.isSpent(state.session, state.counter)) return refuseToken();
  const { session: id, subject, counter } = state;
  const known = sessions.find(id);
  // A token of a higher number is from another server, which had the session since.
  if (known !== undefined && counter > known.counter) sessions.lose(id);
  const session = sessions.find(id);
  const parameters = session?.parameters ?? fitting(context.rules, state.parameters);
  checkGrant(opening.grant.limits, parameters);
  if (session === undefined) return createSession(context, opening, parameters, state).catch(refuseUnfit);
  if (sessions.isOpening(session)) return refuseRival();
  const from = await sessions.claim({ id, subject, counter, most: Infinity });
  // While it was claimed, the session may have ended, or moved to another connection.
  if (sessions.find(id) !== session || sessions.isOpening(session)) return refuseRival();
  if (sessions.isSpent(id, counter)) return refuseToken();
  session.countFrom(from);
  sessions.spend(id, spentBy(state));
  sessions.take(session);
  return session;
}

/**
 * Returns the parameters of a token for this server: it may be older or newer than some of them.
 * @throws {ProtocolError} if the model lacks something that they name, such as a control.
 */
function fitting(rules: ParameterRules, sealed: StreamParameters): StreamParameters {
  const { defaults } = rules;
  const known = Object.entries(sealed).filter(([name]) => Object.hasOwn(defaults, name));
  try {
    return { ...defaults, ...rules.check(Object.fromEntries(known)) };
  } catch (error) {
    return refuseUnfit(error);
  }
}

async function createSession(
  context: ConnectionContext,
  { hello, grant, outlet, onQueued, log, gone }: Opening,
  parameters: StreamParameters,
  from: ResumeState | null,
): Promise<Session> {
  const { admission, capacity, engine, limits, pauses, pictures, rules, turns, sessions } = context;
  const { subject, limits: allowed } = grant;
  const { sessions: most = Infinity } = allowed;
  const askedAt = performance.now();
  if (sessions.count(subject) >= most) {
    throw new ProtocolError('too_many_sessions', 'the token allows no further session at the same time');
  }
  // A waiting session counts too: all users share the queue.
  const forget = sessions.expect(subject);
  let logged = false;
  const sendPosition = (position: number, wait_seconds: number): void => {
    onQueued();
    outlet.send({ type: 'queued', position, wait_seconds });
    if (logged) return;
    logged = true;
    const { slots } = admission;
    const words = `waits for a slot at position ${position}; slots: ${slots}, limited by ${capacity.basis}`;
    log.info({ client: hello.client, position, slots }, words);
  };
  const slot = await admission.enter(gone, sendPosition).finally(forget);
  outlet.meter.admitted(performance.now() - askedAt);
  const { session: id, counter } = from ?? { session: randomUUID(), counter: 0 };
  const countedFrom = await sessions.claim({ id, subject, counter, most }).catch((error: unknown) => {
    slot.release();
    throw error;
  });
  // The resume token may have been spent, or used over another connection, during the wait.
  const spent = from !== null && sessions.isSpent(from.session, from.counter);
  const rival = from === null ? undefined : sessions.find(from.session);
  if (spent || rival !== undefined) {
    slot.release();
    if (rival === undefined) sessions.release(id);
    return spent ? refuseToken() : refuseRival();
  }
  const allocate = (bytes: number): Uint8Array<ArrayBuffer> => engine.allocate(bytes);
  const { controls } = rules;
  const frames = new FramePipeline({ limits, pauses, pictures, controls, turns, allocate });
  const session = new Session({ id, subject, frames, slot, parameters, counter: countedFrom });
  sessions.add(session);
  if (from) sessions.spend(id, spentBy(from));
  try {
    const stream = await engine.openStream(parameters, frames, { state: from?.state });
    if (gone.aborted) {
      stream.close();
      throw new Error('the client is gone');
    }
    frames.attach(stream, parameters, from?.carried);
    return session;
  } catch (error) {
    sessions.remove(session);
    throw error;
  }
}

/**
 * Returns the number of the newest token that is spent when this one is used. Not this one: `ready` may be lost with the
 * connection, and the client then has no other. It is spent once the client is known to have the next.
 */
function spentBy({ counter }: ResumeState): number {
  return counter - 1;
}

function refuseToken(): never {
  throw new ProtocolError('invalid_resume_token');
}

/** Refuses a connection, for now, whose client is being served over another one, which it may have given up. */
function refuseRival(): never {
  throw new ProtocolError('not_ready', 'the session is being opened for another connection; try again');
}

/** Refuses a token whose parameters are invalid here: without it, the client can start a stream with others. */
function refuseUnfit(error: unknown): never {
  if (!(error instanceof ParameterError)) throw error;
  throw new ProtocolError(
    'invalid_resume_token',
    `the session cannot continue on this server: ${error.message}`,
  );
}
