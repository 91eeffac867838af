import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { counted, inMinutes } from '../studio/counts.js';
import type { LinkState } from '../studio/link.js';

type Queued = Extract<LinkState, { readonly name: 'queued' }>;

/** The place in the queue of a full server, and whether it moves. */
export function QueueMessage({ position, seconds, since, first }: Queued): JSX.Element {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <p class="shimmer">The server is full. Your place in the queue: {position}</p>
      <p class="quiet">
        You have waited {inMinutes(Math.max(0, (now - since) / 1000))}, and {inWords(first - position)}. About{' '}
        {counted(Math.ceil(seconds), 'second')}; it starts automatically.
      </p>
    </>
  );
}

/** @param left people who were before this one in the queue. */
function inWords(left: number): string {
  if (left === 0) return 'nobody has left yet';
  return left === 1 ? 'one has left' : `${left} have left`;
}
