import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';

interface ConfirmedButtonProps {
  /** What the button says. */
  readonly word: string;
  /** What it does, as in `Drain this server`; also the question. */
  readonly action: string;
  /** What that means. */
  readonly consequences: string;
  /** What the answer says. */
  readonly answer: string;
  /** Said if the action failed. */
  readonly problem: string;
  /** Does it. @returns whether it was done. */
  readonly act: () => Promise<boolean>;
  readonly testId: string;
  readonly class?: string;
}

/** A button for what cannot be undone: it asks first. */
export function ConfirmedButton(props: ConfirmedButtonProps): JSX.Element {
  const { word, action, consequences, answer, problem, act, testId } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const failed = useSignal(false);
  const confirm = async (): Promise<void> => {
    failed.value = !(await act().catch(() => false));
    if (!failed.value) dialog.current?.close();
  };
  return (
    <>
      <button
        type="button"
        class={`action ${props.class ?? ''}`}
        aria-label={action}
        onClick={() => dialog.current?.showModal()}
        data-testid={testId}
      >
        {word}
      </button>
      <dialog ref={dialog} class="question" aria-label={`${action}?`}>
        <h2>{action}?</h2>
        <p>{consequences}</p>
        <p class="problem" role="alert">
          {failed.value && problem}
        </p>
        <div class="answers">
          <button type="button" class="action" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="button"
            class="action grave"
            onClick={() => void confirm()}
            data-testid={`${testId}-now`}
          >
            {answer}
          </button>
        </div>
      </dialog>
    </>
  );
}
