import type { Signal } from '@preact/signals';
import type { Studio } from './studio.js';

/** What shortcuts act on besides the studio. */
export interface ShortcutPlace {
  readonly studio: Studio;
  readonly writePrompt: () => void;
  readonly toggleView: () => void;
  readonly toggleDrawer: (name: 'styles' | 'looks' | 'perform') => void;
  readonly showsKeys: Signal<boolean>;
}

export interface Shortcut {
  /** As `KeyboardEvent.key` has them. */
  readonly keys: readonly string[];
  /** How it is shown, if not as its keys. */
  readonly shown?: string;
  readonly words: string;
  /** Whether it repeats while its key is held. */
  readonly repeats?: true;
  readonly act: (place: ShortcutPlace, key: string) => void;
}

const fadeStep = 0.1;
const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Every shortcut of the page: what it does, and what the overlay says of it. */
export const shortcuts: readonly Shortcut[] = [
  { keys: ['/'], words: 'Write the prompt', act: ({ writePrompt }) => writePrompt() },
  { keys: ['[', ']'], words: 'Style before, next style', act: chooseStyle },
  {
    keys: [','],
    words: 'Fade to the prompts before',
    repeats: true,
    act: ({ studio }) => fade(studio, -fadeStep),
  },
  {
    keys: ['.'],
    words: 'Fade to the next prompts',
    repeats: true,
    act: ({ studio }) => fade(studio, fadeStep),
  },
  { keys: digits, shown: '1 – 9', words: 'Use a saved look', act: useLook },
  { keys: ['a'], words: 'Save this look', act: ({ studio }) => studio.archive.saveLook() },
  { keys: ['x'], words: 'Another seed', act: ({ studio }) => studio.performer.shuffleSeed() },
  { keys: ['l'], words: 'Lock the seed', act: ({ studio }) => lockSeed(studio) },
  { keys: ['t'], words: 'Tap the beat', act: ({ studio }) => studio.performer.tempo.tap() },
  { keys: ['z'], words: 'Undo', act: ({ studio }) => studio.history.undo() },
  { keys: ['y', 'Z'], shown: 'y', words: 'Redo', act: ({ studio }) => studio.history.redo() },
  { keys: ['i'], words: 'Pause the input, go on', act: ({ studio }) => studio.playback.turn() },
  { keys: ['s'], words: 'Save a picture', act: ({ studio }) => void studio.archive.savePicture() },
  {
    keys: ['r'],
    words: 'Record, end the recording',
    act: ({ studio }) => void studio.archive.toggleRecording(),
  },
  { keys: ['f'], words: 'Fill the window', act: ({ toggleView }) => toggleView() },
  {
    keys: ['F'],
    shown: 'shift f',
    words: 'Full screen',
    act: ({ studio }) => void studio.projection.toggleFullScreen(),
  },
  { keys: ['h'], words: 'Hide all but the picture', act: ({ studio }) => toggle(studio.projection.bare) },
  { keys: ['b'], words: 'Before and after', act: ({ studio }) => toggle(studio.projection.wiped) },
  { keys: ['g'], words: 'All styles', act: ({ toggleDrawer }) => toggleDrawer('styles') },
  { keys: ['k'], words: 'Looks', act: ({ toggleDrawer }) => toggleDrawer('looks') },
  { keys: ['p'], words: 'Perform', act: ({ toggleDrawer }) => toggleDrawer('perform') },
  { keys: ['?'], words: 'These keys', act: ({ showsKeys }) => toggle(showsKeys) },
];

function toggle(value: Signal<boolean>): void {
  value.value = !value.peek();
}

function fade(studio: Studio, step: number): void {
  const { mixer } = studio.performer;
  const last = mixer.prompts.peek().length - 1;
  if (last > 0) mixer.fade(Math.min(last, Math.max(0, mixer.position.peek() + step)));
}

function chooseStyle({ studio }: ShortcutPlace, key: string): void {
  const { styles } = studio.styles.all.peek();
  const present = styles.findIndex((style) => studio.styles.isChosen(style));
  const next = styles.at((present + (key === ']' ? 1 : -1)) % styles.length);
  if (next) studio.styles.choose(next);
}

function useLook({ studio }: ShortcutPlace, key: string): void {
  const look = studio.archive.looks.all.peek()[Number(key) - 1];
  if (look) studio.archive.apply(look);
}

function lockSeed({ archive, announce }: Studio): void {
  archive.turnSeedLock();
  announce(archive.seedLocked.peek() ? 'Looks leave the seed as it is.' : 'Looks have their own seeds.');
}
