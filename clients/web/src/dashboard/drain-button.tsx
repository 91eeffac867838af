import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Feed } from './feed.js';

/** Drains the server, after a confirmation; for admins. */
export function DrainButton({ feed }: { readonly feed: Feed }): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const failed = useSignal(false);
  const overview = feed.overview.value;
  if (!overview || overview.role !== 'admin' || overview.draining) return null;
  const drain = async (): Promise<void> => {
    failed.value = !(await feed.drain().catch(() => false));
    if (!failed.value) dialog.current?.close();
  };
  return (
    <>
      <button type="button" class="action" onClick={() => dialog.current?.showModal()} data-testid="drain">
        Drain
      </button>
      <dialog ref={dialog} class="question" aria-labelledby="drain-question">
        <h2 id="drain-question">Drain this server?</h2>
        <p>
          The server accepts no new sessions and asks its clients to move to another server. It accepts
          sessions again only after a restart.
        </p>
        <p class="problem" role="alert">
          {failed.value && 'The server did not start draining.'}
        </p>
        <div class="answers">
          <button type="button" class="action" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" class="action grave" onClick={() => void drain()} data-testid="drain-now">
            Drain now
          </button>
        </div>
      </dialog>
    </>
  );
}
