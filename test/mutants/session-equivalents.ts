import type { Equivalent } from './equivalents.js';

/** Equivalents in sessions. */
export const sessionEquivalents: readonly Equivalent[] = [
  {
    file: 'src/session/connection/client-connection.ts',
    change: /^this\.#(?:checkpoints\?\.(?:acknowledged|send)|pacing\?\.allow) -> /,
    reason: 'An active session has checkpoints and pacing: the fallback only satisfies the compiler.',
  },
  {
    file: 'src/session/connection/client-connection.ts',
    change: /^this\.#session\?\.frames(?:\.lastActivityAt \?\? 0)? -> (?!\(0\)$)\(?this\.#session/,
    reason: 'Idleness is checked only while there is a session: the fallback only satisfies the compiler.',
  },
  {
    file: 'src/session/connection/connections.ts',
    change: /^connection\.state !== 'closed' -> (?:true|connection\.state !== '')$/,
    reason: 'A closed connection is no longer in the list: the condition only satisfies the compiler.',
  },
  {
    file: 'src/session/admission/capacity.ts',
    change: /^(?:decoding\[i\] \?\? 0 -> (?!\(0\)$)|byDecoding\[i\] \?\? null -> \(by)/,
    reason: 'The index is within the array: the fallback only satisfies the compiler.',
  },
  {
    file: 'src/session/admission/capacity.ts',
    change: /^(?:decoders = 1 -> decoders = 2|imagesMs = 1000 -> .*)$/,
    reason: 'Without other work there is nothing that this would divide.',
  },
  {
    file: 'src/session/connection/checkpoints.ts',
    change: 'counter > arrived.counter -> counter >= arrived.counter',
    reason: 'Spent tokens are spent once more.',
  },
  {
    file: 'src/session/one-shot.ts',
    change: 'replace: false -> replace: true',
    reason: 'A stream of one frame has no other to replace.',
  },
  {
    file: 'src/session/frames/result-sender.ts',
    change: /^!outlet \|\| !window -> (?:false|\(!(?:outlet|window)\))$/,
    reason: 'Work on a result begins only if there is a connection.',
  },
  {
    file: 'src/session/frames/frame-clock.ts',
    change: /^#dueAt = 0; -> /,
    reason: 'It is set when the clock starts.',
  },
];
