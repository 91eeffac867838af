import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Feed } from './feed.js';

/** Asks for a token. */
export function SignIn({
  feed,
  explanation,
}: {
  readonly feed: Feed;
  readonly explanation: string;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      class="sign-in card"
      onSubmit={(event) => {
        event.preventDefault();
        void feed.signIn(input.current?.value.trim() ?? '');
      }}
    >
      <label for="token">{explanation}</label>
      <div class="answers">
        <input id="token" ref={input} type="password" autocomplete="off" required data-testid="token" />
        <button type="submit" class="action">
          Continue
        </button>
      </div>
    </form>
  );
}
