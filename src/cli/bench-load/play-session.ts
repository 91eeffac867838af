import { connect, MillraceError, type MillraceStream } from '@millrace/client';
import { ClientSocket } from '../../transport/client-socket.js';
import type { SessionResult, Share, Times } from './load-plan.js';

/** Between the starts of two sessions, so that they are admitted in order. */
const intervalMs = 20;

/** A session under way. */
export interface Play {
  /** Settles when it is served, queued or refused. */
  readonly settled: Promise<void>;
  readonly result: Promise<SessionResult>;
}

/** Plays one user: connects, sends frames as a camera does, and displays each result at once, until the load ends. */
export function playSession(share: Share, session: number, times: Promise<Times>): Play {
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const result = live(share, session, times, settle).finally(settle);
  return { settled, result };
}

async function live(
  share: Share,
  session: number,
  times: Promise<Times>,
  settle: () => void,
): Promise<SessionResult> {
  await until(share.begin + session * intervalMs);
  const asked = performance.now();
  const over = new AbortController();
  void times.then(({ end }) => until(end)).then(() => over.abort());
  const waited = (): number => (performance.now() - asked) / 1000;
  try {
    const stream = await open(share, over.signal, settle);
    over.signal.throwIfAborted();
    settle();
    return { session, waitSeconds: waited(), ...(await play(stream, share, session, times)) };
  } catch (error) {
    const figures = { session, waitSeconds: waited(), seconds: 0, sent: 0, latencies: [], dropped: {} };
    if (over.signal.aborted) return { ...figures, outcome: 'waiting', code: null, message: null };
    if (!(error instanceof MillraceError)) throw error;
    return { ...figures, outcome: 'refused', code: error.code, message: error.message };
  }
}

function open(
  { url, token, parameters }: Share,
  signal: AbortSignal,
  queued: () => void,
): Promise<MillraceStream> {
  const client = 'millrace bench load';
  return connect(url, {
    webSocket: ClientSocket,
    reconnectSeconds: 0,
    client,
    token,
    parameters,
    signal,
    queued,
  });
}

async function play(
  stream: MillraceStream,
  { fps, pictures }: Share,
  session: number,
  times: Promise<Times>,
): Promise<Omit<SessionResult, 'session' | 'waitSeconds'>> {
  const latencies: number[] = [];
  const dropped: Record<string, number> = {};
  let sent = 0;
  let lost = null as MillraceError | null;
  // The times are known only once all sessions have settled.
  let { measured, end } = { measured: Infinity, end: Infinity };
  void times.then((known) => ({ measured, end } = known));
  const counts = (): boolean => Date.now() >= measured && Date.now() < end;
  const opened = Date.now();
  stream.on('result', ({ captured }) => {
    if (counts()) latencies.push(performance.now() - captured);
  });
  stream.on('dropped', ({ reason }) => {
    if (counts()) dropped[reason] = (dropped[reason] ?? 0) + 1;
  });
  stream.on('close', ({ error }) => (lost = error ?? null));
  // Cameras are not synchronized.
  let due = Date.now() + ((session * 0.618) % 1) * (1000 / fps);
  let frame = session;
  while (due < end) {
    await until(due);
    if (stream.closed) break;
    const picture = pictures[frame++ % pictures.length];
    if (picture !== undefined) stream.send(picture);
    if (counts()) sent += 1;
    // A camera does not make up for missed frames.
    due = Math.max(due + 1000 / fps, Date.now());
  }
  await times;
  if (!stream.closed) await until(end);
  const seconds = Math.max(0, Math.min(Date.now(), end) - Math.max(opened, measured)) / 1000;
  await stream.close();
  const { code, message } = lost ?? { code: null, message: null };
  return { outcome: code === null ? 'served' : 'lost', code, message, seconds, sent, latencies, dropped };
}

/** Waits until this time, in milliseconds since 1970. */
async function until(time: number): Promise<void> {
  const rest = time - Date.now();
  if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
}
