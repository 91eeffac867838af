import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour, SessionResult, Share, Times } from './load-plan.js';

export interface LoadOptions extends Behaviour {
  readonly sessions: number;
  /** Length of the measurement; a warm-up comes before it. */
  readonly seconds: number;
  /** Processes that the clients are spread over. */
  readonly processes: number;
  readonly signal: AbortSignal;
}

/** From when all sessions are served, queued or refused until the measurement. */
const warmUpMs = 2000;
/** Longest wait until they are: a server may not answer at all. */
const longestStartMs = 60_000;

/** Puts a load on a server, with clients in separate processes. @returns the result of each session, in order. */
export async function runLoad(options: LoadOptions): Promise<readonly SessionResult[]> {
  const { sessions, seconds, signal } = options;
  const processes = Math.min(options.processes, sessions);
  const { url, token, parameters, fps, pictures } = options;
  const children = Array.from({ length: processes }, () =>
    fork(new URL('client-process.js', import.meta.url), { serialization: 'advanced', signal }),
  );
  // An interruption ends them all with an error, even if nothing waits for them.
  for (const child of children) child.on('error', () => {});
  try {
    await Promise.all(children.map((child) => message(child, (said) => said === 'up')));
    const begin = Date.now() + 100;
    const behaviour: Behaviour = { url, token, parameters, fps, pictures };
    const settled = children.map((child, place) => {
      const own = Array.from({ length: sessions }, (_, i) => i).filter((i) => i % processes === place);
      const answer = message(child, (said) => said === 'settled');
      child.send({ ...behaviour, begin, sessions: own } satisfies Share);
      return answer;
    });
    const timer = new AbortController();
    const late = sleep(longestStartMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([Promise.all(settled), late]).finally(() => timer.abort());
    const measured = Date.now() + warmUpMs;
    const times = { measured, end: measured + seconds * 1000 } satisfies Times;
    const results = await Promise.all(
      children.map(async (child) => {
        const answer = message(child, Array.isArray);
        child.send(times);
        return (await answer) as readonly SessionResult[];
      }),
    );
    return results.flat().sort((a, b) => a.session - b.session);
  } finally {
    for (const child of children) child.kill();
  }
}

/** Waits for the first wanted message. @throws {Error} if the process ends before it. */
async function message(child: ChildProcess, wanted: (said: unknown) => boolean): Promise<unknown> {
  const ended = new AbortController();
  const failed = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('a process of clients ended before its load did');
  });
  const said = new Promise<unknown>((resolve) =>
    child.on('message', (message) => {
      if (wanted(message)) resolve(message);
    }),
  );
  try {
    return await Promise.race([said, failed]);
  } finally {
    failed.catch(() => {});
    ended.abort();
  }
}
