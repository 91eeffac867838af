import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shortcuts, type ShortcutPlace } from '../studio/shortcuts.js';
import type { Studio } from '../studio/studio.js';
import type { DrawerName } from './dock.js';
import { Composer } from './composer.js';
import { ControlPanel } from './control-panel.js';
import { useDroppedFiles } from './drop-zone.js';
import { icons } from './icons.js';
import { KeysOverlay } from './keys-overlay.js';
import { Readouts } from './readouts.js';
import { ShapeControl } from './shape-control.js';
import { SourcePicker } from './source-picker.js';
import { Stage, type StageView } from './stage.js';
import { StatusPill } from './status.js';
import { useProjectionKeys } from './use-projection-keys.js';

/** The page. */
export function App({ studio }: { readonly studio: Studio }): JSX.Element {
  const view = useSignal<StageView>('split');
  const drawer = useSignal<DrawerName>();
  const showsKeys = useSignal(false);
  const prompt = useRef<HTMLTextAreaElement>(null);
  useDroppedFiles(studio);
  const { projection } = studio;
  useProjectionKeys(projection);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') view.value = 'split';
      if (event.altKey || isTyping(event.target)) return;
      // With Ctrl or Command, only undo and redo are this page's.
      if ((event.ctrlKey || event.metaKey) && !/^[zy]$/i.test(event.key)) return;
      const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key));
      if (!shortcut || (event.repeat && !shortcut.repeats)) return;
      event.preventDefault();
      shortcut.act(place, event.key);
    };
    const place: ShortcutPlace = {
      studio,
      writePrompt: () => prompt.current?.focus(),
      toggleView: () => (view.value = view.peek() === 'full' ? 'split' : 'full'),
      toggleDrawer: (name) => (drawer.value = drawer.peek() === name ? undefined : name),
      showsKeys,
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [studio, view, drawer, showsKeys]);

  return (
    <div
      class="app"
      data-view={view.value}
      data-bare={projection.bare.value}
      data-filled={projection.filled.value}
      data-playing={studio.source.value !== undefined}
    >
      <header class="top">
        <h1 class="wordmark">
          {icons.wave}
          Millrace
        </h1>
        <p class="model">{studio.capabilities.value?.model.description}</p>
        <button
          type="button"
          class="small-button"
          aria-label="Keys"
          title="Keys (?)"
          onClick={() => (showsKeys.value = true)}
        >
          ?
        </button>
        <StatusPill studio={studio} />
      </header>
      <main class="room">
        <Stage studio={studio} view={view} />
        <Readouts studio={studio} />
        <Composer studio={studio} prompt={prompt} drawer={drawer} />
        <aside class="panel" aria-label="Settings">
          <SourcePicker studio={studio} />
          <ShapeControl studio={studio} />
          <ControlPanel studio={studio} />
        </aside>
      </main>
      <KeysOverlay shown={showsKeys} />
    </div>
  );
}

/** Returns whether keys are text for this element. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type=range], [type=checkbox], [type=radio]), textarea, select')
  );
}
