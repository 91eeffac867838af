import type { Share } from './load-plan.js';
import { playSession } from './play-session.js';

/** A process of clients: gets its share of the load, plays it, and answers with what became of each session. */
process.once('message', (share: Share) => {
  void Promise.all(share.sessions.map((session) => playSession(share, session))).then((results) =>
    process.send?.(results, undefined, undefined, () => process.disconnect()),
  );
});
// Whoever started it is gone.
process.once('disconnect', () => process.exit());
process.send?.('up');
