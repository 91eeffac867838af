import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Behaviour, SessionResult, Share } from './load-plan.js';

export interface LoadOptions extends Behaviour {
  readonly sessions: number;
  /** How long is measured; a warm-up comes before it. */
  readonly seconds: number;
  /** That the clients are spread over. */
  readonly processes: number;
  readonly signal: AbortSignal;
}

/** Until all sessions are in and under way, in milliseconds. */
const warmUp = 2000;

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
    await Promise.all(children.map(nextMessage));
    const begin = Date.now() + 100;
    const measured = begin + warmUp;
    const times = { begin, measured, end: measured + seconds * 1000 };
    const behaviour: Behaviour = { url, token, parameters, fps, pictures };
    const results = await Promise.all(
      children.map(async (child, place) => {
        const own = Array.from({ length: sessions }, (_, i) => i).filter((i) => i % processes === place);
        const answer = nextMessage(child);
        child.send({ ...behaviour, ...times, sessions: own } satisfies Share);
        return (await answer) as readonly SessionResult[];
      }),
    );
    return results.flat().sort((a, b) => a.session - b.session);
  } finally {
    for (const child of children) child.kill();
  }
}

/** @throws {Error} if the process ends before it says anything. */
async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const failed = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('a process of clients ended before its load did');
  });
  const said = new Promise<unknown>((resolve) => child.once('message', resolve));
  try {
    return await Promise.race([said, failed]);
  } finally {
    failed.catch(() => {});
    ended.abort();
  }
}
