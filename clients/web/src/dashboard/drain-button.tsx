import type { JSX } from 'preact';
import { ConfirmedButton } from './confirmed-button.js';
import type { Feed } from './feed.js';

/** Drains the server, after a confirmation; for admins. */
export function DrainButton({ feed }: { readonly feed: Feed }): JSX.Element | null {
  const overview = feed.overview.value;
  if (!overview || overview.role !== 'admin' || overview.draining) return null;
  return (
    <ConfirmedButton
      word="Drain"
      action="Drain this server"
      consequences="The server accepts no new sessions and asks its clients to move to another server. It accepts sessions again only after a restart."
      answer="Drain now"
      problem="The server did not start draining."
      act={() => feed.drain()}
      testId="drain"
    />
  );
}
