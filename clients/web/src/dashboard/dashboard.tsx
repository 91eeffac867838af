import type { Overview } from '@millrace/protocol';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { icons } from '../views/icons.js';
import { DrainButton } from './drain-button.js';
import type { Feed, Problem } from './feed.js';
import { panelsFor } from './panels.js';
import { Plot } from './plot.js';
import { SessionTable } from './sessions.js';
import { SignIn } from './sign-in.js';
import { Tiles } from './tiles.js';

/** The dashboard page. */
export function Dashboard({ feed }: { readonly feed: Feed }): JSX.Element {
  const signInShown = useSignal(false);
  const overview = feed.overview.value;
  const problem = feed.problem.value;
  const canBecomeAdmin = overview !== undefined && overview.role === 'reader' && overview.adminToken;
  return (
    <div class="dashboard" data-stale={problem === 'unreachable'}>
      <header class="top">
        <h1 class="wordmark">
          {icons.wave}
          Millrace
        </h1>
        <p class="model">{overview && describe(overview)}</p>
        <p class="pill" role="status" data-state={pillState(overview, problem)} data-testid="state">
          <span class="dot" />
          {inWords(overview, problem)}
        </p>
        {canBecomeAdmin && (
          <button type="button" class="action" onClick={() => (signInShown.value = true)} data-testid="rise">
            Admin
          </button>
        )}
        <DrainButton feed={feed} />
      </header>
      <main>
        {problem === 'unauthorized' && (
          <SignIn feed={feed} explanation="The dashboard of this server requires a token." />
        )}
        {problem === 'forbidden' && (
          <p class="card">
            Without a token, the dashboard is available only under the server’s own host name. Set a metrics
            token.
          </p>
        )}
        {canBecomeAdmin && signInShown.value && <SignIn feed={feed} explanation="Admin token:" />}
        <Tiles feed={feed} />
        {overview && (
          <p class="window" data-testid="window">
            Tiles and sessions: the last {overview.windowSeconds} seconds. Curves: up to 15 minutes.
          </p>
        )}
        {overview && (
          <section class="plots" aria-label="The last 15 minutes">
            {panelsFor(feed.history.value).map((panel) => (
              <Plot key={panel.title} feed={feed} panel={panel} />
            ))}
          </section>
        )}
        <SessionTable feed={feed} />
      </main>
    </div>
  );
}

function describe({ server, model, engine }: Overview): string {
  return [server.replace('/', ' '), model.name, engine.device ?? '']
    .filter((part) => part !== '')
    .join(' · ');
}

function pillState(overview: Overview | undefined, problem: Problem | undefined): string {
  if (problem !== undefined || overview?.engine.state === 'failed') return 'failed';
  return overview?.ready === true ? 'live' : 'preparing';
}

function inWords(overview: Overview | undefined, problem: Problem | undefined): string {
  if (problem === 'unreachable') return 'Unreachable';
  if (problem !== undefined) return 'Locked';
  if (overview === undefined) return 'Looking for the server';
  if (overview.draining) return 'Draining';
  const { state, doing } = overview.engine;
  return state === 'ready' ? 'Ready' : (doing ?? state);
}
