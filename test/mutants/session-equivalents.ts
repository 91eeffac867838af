import type { Equivalent } from './equivalents.js';

/** Those of sessions. */
export const sessionEquivalents: readonly Equivalent[] = [
  {
    file: 'src/session/connection/client-connection.ts',
    change: /^this\.#(?:checkpoints\?\.(?:acknowledged|send)|pacing\?\.allow) -> /,
    reason: 'A session that is active has checkpoints and a pacing: the fallback is there for the compiler.',
  },
  {
    file: 'src/session/connection/client-connection.ts',
    change: /^this\.#session\?\.frames(?:\.lastActivity \?\? 0)? -> (?!\(0\)$)\(?this\.#session/,
    reason: 'Whether a session is idle is asked while there is one: the fallback is there for the compiler.',
  },
  {
    file: 'src/session/connection/connections.ts',
    change: /^connection\.state !== 'closed' -> (?:true|connection\.state !== '')$/,
    reason: 'A connection that is closed is in the list no more: the condition is there for the compiler.',
  },
  {
    file: 'src/session/admission/capacity.ts',
    change: /^(?:decoding\[i\] \?\? 0 -> (?!\(0\)$)|byDecoding\[i\] \?\? null -> \(by)/,
    reason: 'The index is within the array: the fallback is there for the compiler.',
  },
  {
    file: 'src/session/admission/capacity.ts',
    change: /^(?:decoders = 1 -> decoders = 2|imagesMs = 1000 -> .*)$/,
    reason: 'Where no other work is told of, there is none that this would divide.',
  },
  {
    file: 'src/session/connection/checkpoints.ts',
    change: 'counter > arrived.counter -> counter >= arrived.counter',
    reason: 'Tokens that are spent are spent once more.',
  },
  {
    file: 'src/session/one-shot.ts',
    change: 'replace: false -> replace: true',
    reason: 'A stream of one frame has none that it could replace.',
  },
  {
    file: 'src/session/frames/result-sender.ts',
    change: '!line -> false',
    reason: 'Work on a result begins only where there is a connection.',
  },
  {
    file: 'src/session/frames/frame-clock.ts',
    change: /^#due = 0; -> /,
    reason: 'It is set when the clock starts.',
  },
];
