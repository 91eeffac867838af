import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { LinkState } from '../studio/link.js';
import type { Studio } from '../studio/studio.js';
import { QueueMessage } from './queue-message.js';

interface StudioProps {
  readonly studio: Studio;
}

/** The state of the connection in a word or two. */
export function StatusPill({ studio }: StudioProps): JSX.Element {
  const state = studio.link.state.value;
  const ready = studio.server.readiness.value?.ready;
  const words = state.name === 'idle' ? idleWords(ready) : pillWords[state.name];
  return (
    <p
      class="pill"
      role="status"
      data-state={state.name === 'idle' && ready === false ? 'preparing' : state.name}
      data-testid="status"
    >
      <span class="dot" />
      {words}
    </p>
  );
}

const pillWords: Readonly<Record<Exclude<LinkState['name'], 'idle'>, string>> = {
  connecting: 'Connecting',
  queued: 'Waiting',
  preparing: 'Warming up',
  live: 'Live',
  locked: 'Locked',
  retrying: 'Reconnecting',
  failed: 'Not connected',
};

/** @param ready whether the server is ready; undefined if it cannot be reached. */
function idleWords(ready: boolean | undefined): string {
  if (ready === undefined) return 'Looking for the server';
  return ready ? 'Ready' : 'Warming up';
}

/** Messages for the user: while no pictures arrive, or beside the picture. */
export function StageMessage({ studio }: StudioProps): JSX.Element {
  const state = studio.link.state.value;
  const waiting = studio.source.value !== undefined && !studio.flowing.value;
  return (
    <div class="message" role="status" data-testid="message">
      {waiting && state.name === 'locked' && <SignIn studio={studio} again={state.shown} />}
      {waiting && state.name !== 'locked' && <Waiting state={state} retry={() => studio.link.open()} />}
      {studio.awaitedSize.value !== undefined && (
        <p class="notice slow">The first picture of {studio.awaitedSize.value} takes longer</p>
      )}
      {waiting && studio.tabs.another.value && (
        <button type="button" class="retry" data-testid="take-over" onClick={() => studio.takeOver()}>
          Another tab of this browser streams: continue here
        </button>
      )}
      {studio.notices.text.value !== undefined && <p class="notice">{studio.notices.text.value}</p>}
    </div>
  );
}

interface SignInProps extends StudioProps {
  readonly again: boolean;
}

/** Asks for an access token. */
function SignIn({ studio, again }: SignInProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        studio.signIn(input.current?.value.trim() ?? '');
      }}
    >
      <label for="token">
        {again ? 'This token is not valid here, or has expired.' : 'This server requires an access token.'}
      </label>
      <input id="token" ref={input} type="password" autocomplete="off" required data-testid="token" />
      <button type="submit" class="retry">
        Continue
      </button>
    </form>
  );
}

interface WaitingProps {
  readonly state: Exclude<LinkState, { readonly name: 'locked' }>;
  readonly retry: () => void;
}

function Waiting({ state, retry }: WaitingProps): JSX.Element {
  switch (state.name) {
    case 'idle':
    case 'connecting':
      return <p class="shimmer">Connecting</p>;
    case 'queued':
      return <QueueMessage {...state} />;
    case 'live':
      return <p class="shimmer">The first picture is on its way</p>;
    case 'preparing':
      return <p class="shimmer">The server is starting: {state.doing}</p>;
    case 'retrying':
    case 'failed':
      return (
        <>
          <p>{state.problem}</p>
          {state.name === 'retrying' && <p class="quiet">Trying again automatically.</p>}
          <button type="button" class="retry" onClick={retry}>
            Try now
          </button>
        </>
      );
  }
}
