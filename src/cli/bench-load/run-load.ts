import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour, SessionResult, Share, Times } from './load-plan.js';

export interface LoadOptions extends Behaviour {
  readonly sessions: number;
  /** How long is measured; a warm-up comes before it. */
  readonly seconds: number;
  /** That the clients are spread over. */
  readonly processes: number;
  readonly signal: AbortSignal;
}

/** Milliseconds from when all sessions are in, queued or refused until they are measured. */
const warmUp = 2000;
/** Milliseconds for which to wait until they are: a server may not answer at all. */
const longestStart = 60_000;

/** Puts a load on a server, with clients in processes of their own. @returns what became of each session, in order. */
export async function runLoad(options: LoadOptions): Promise<readonly SessionResult[]> {
  const { sessions, seconds, signal } = options;
  const processes = Math.min(options.processes, sessions);
  const { url, token, parameters, fps, pictures } = options;
  const children = Array.from({ length: processes }, () =>
    fork(new URL('client-process.js', import.meta.url), { serialization: 'advanced', signal }),
  );
  // When it is interrupted they all end, whoever waits for them or not.
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
    const patience = new AbortController();
    const late = sleep(longestStart, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([Promise.all(settled), late]).finally(() => patience.abort());
    const measured = Date.now() + warmUp;
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

/** The first message that is wanted. @throws {Error} if the process ends before it says that. */
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
