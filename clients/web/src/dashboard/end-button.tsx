import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Feed } from './feed.js';

interface EndButtonProps {
  readonly feed: Feed;
  readonly session: string;
}

/** Ends one session, after a confirmation; for admins. */
export function EndButton({ feed, session }: EndButtonProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const failed = useSignal(false);
  const name = session.slice(0, 8);
  const end = async (): Promise<void> => {
    failed.value = !(await feed.end(session).catch(() => false));
    if (!failed.value) dialog.current?.close();
  };
  return (
    <>
      <button
        type="button"
        class="action end"
        aria-label={`End session ${name}`}
        onClick={() => dialog.current?.showModal()}
        data-testid="end"
      >
        End
      </button>
      <dialog ref={dialog} class="question" aria-label={`End session ${name}?`}>
        <h2>End session {name}?</h2>
        <p>Its client is disconnected and cannot resume it, but may open a new one.</p>
        <p class="problem" role="alert">
          {failed.value && 'The server did not end it: it may have ended already.'}
        </p>
        <div class="answers">
          <button type="button" class="action" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" class="action grave" onClick={() => void end()} data-testid="end-now">
            End it
          </button>
        </div>
      </dialog>
    </>
  );
}
