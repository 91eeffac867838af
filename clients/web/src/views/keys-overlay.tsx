import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shortcuts } from '../studio/shortcuts.js';
import { CrossButton } from './cross-button.js';

/** All shortcuts, over the page. */
export function KeysOverlay({ shown }: { readonly shown: Signal<boolean> }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (shown.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown.value]);
  return (
    <dialog
      class="keys"
      ref={dialog}
      aria-labelledby="keys-title"
      data-testid="keys"
      onClose={() => (shown.value = false)}
    >
      <header>
        <h2 id="keys-title">Keys</h2>
        <CrossButton name="Close Keys" onClick={() => (shown.value = false)} />
      </header>
      <dl>
        {shortcuts.map(({ keys, shown: text = keys.join(' '), words }) => (
          <div key={text}>
            <dt>
              <kbd>{text.toUpperCase()}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
