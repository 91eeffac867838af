import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Studio } from '../studio/studio.js';
import type { DrawerName } from './dock.js';
import { Composer } from './composer.js';
import { ControlPanel } from './control-panel.js';
import { icons } from './icons.js';
import { Readouts } from './readouts.js';
import { SourcePicker } from './source-picker.js';
import { Stage, type StageView } from './stage.js';
import { StatusPill } from './status.js';

/** The page. */
export function App({ studio }: { readonly studio: Studio }): JSX.Element {
  const view = useSignal<StageView>('split');
  const drawer = useSignal<DrawerName>();
  const prompt = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') view.value = 'split';
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === 'f') view.value = view.peek() === 'full' ? 'split' : 'full';
      if (event.key === '/') {
        event.preventDefault();
        prompt.current?.focus();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [view]);

  return (
    <div class="app" data-view={view.value} data-playing={studio.source.value !== undefined}>
      <header class="top">
        <h1 class="wordmark">
          {icons.wave}
          Millrace
        </h1>
        <p class="model">{studio.capabilities.value?.model.description}</p>
        <StatusPill studio={studio} />
      </header>
      <main class="room">
        <Stage studio={studio} view={view} />
        <Readouts studio={studio} />
        <Composer studio={studio} prompt={prompt} drawer={drawer} />
        <aside class="panel" aria-label="Settings">
          <SourcePicker studio={studio} />
          <ControlPanel studio={studio} />
        </aside>
      </main>
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select');
}
