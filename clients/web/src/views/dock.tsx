import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Studio } from '../studio/studio.js';
import { Drawer } from './drawer.js';
import { icons } from './icons.js';
import { StyleBrowser } from './style-browser.js';

export type DrawerName = keyof typeof drawers;

interface DockProps {
  readonly studio: Studio;
  /** The drawer that is open. */
  readonly open: Signal<DrawerName | undefined>;
}

const drawers = {
  styles: { title: 'Styles', icon: icons.styles, content: StyleBrowser },
} as const;

/** Buttons that open drawers, and the open one. */
export function Dock({ studio, open }: DockProps): JSX.Element {
  const name = open.value;
  const Content = name && drawers[name].content;
  return (
    <>
      <nav class="dock" aria-label="Tools">
        {(Object.keys(drawers) as DrawerName[]).map((each) => (
          <button
            type="button"
            key={each}
            aria-expanded={each === name}
            data-testid={`open-${each}`}
            onClick={() => (open.value = each === name ? undefined : each)}
          >
            {drawers[each].icon}
            {drawers[each].title}
          </button>
        ))}
      </nav>
      {Content && (
        <Drawer
          key={name}
          title={drawers[name].title}
          testId={name}
          onClose={() => (open.value = undefined)}
        >
          <Content studio={studio} />
        </Drawer>
      )}
    </>
  );
}
