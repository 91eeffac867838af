import type { JSX } from 'preact';
import { ConfirmedButton } from './confirmed-button.js';
import type { Feed } from './feed.js';

interface EndButtonProps {
  readonly feed: Feed;
  readonly session: string;
}

/** Ends one session, after a confirmation; for admins. */
export function EndButton({ feed, session }: EndButtonProps): JSX.Element {
  return (
    <ConfirmedButton
      word="End"
      action={`End session ${session.slice(0, 8)}`}
      consequences="Its client is disconnected and cannot resume it, but may open a new one."
      answer="End it"
      problem="The server did not end it: it may have ended already."
      act={() => feed.end(session)}
      testId="end"
      class="end"
    />
  );
}
