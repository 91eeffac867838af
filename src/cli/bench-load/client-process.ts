import type { Share, Times } from './load-plan.js';
import { playSession } from './play-session.js';

/**
 * A process of clients: receives its share of the load and plays it, reports when all its sessions are served, queued
 * or refused, receives the times of the measurement, and answers with the result of each session.
 */
process.once('message', (share: Share) => {
  const times = new Promise<Times>((resolve) => process.once('message', resolve));
  const plays = share.sessions.map((session) => playSession(share, session, times));
  void Promise.all(plays.map(({ settled }) => settled)).then(() => process.send?.('settled'));
  void Promise.all([times, ...plays.map(({ result }) => result)]).then(([, ...results]) =>
    process.send?.(results, undefined, undefined, () => process.disconnect()),
  );
});
// The parent process is gone.
process.once('disconnect', () => process.exit());
process.send?.('up');
