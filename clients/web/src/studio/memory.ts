import { formatLooks, parseLooks, type ParameterUpdate } from '@millrace/client';
import { effect } from '@preact/signals';
import type { ParameterDesk } from './parameter-desk.js';
import { keep, readKept } from './storage.js';
import { fromFragment, toFragment, type Definitions } from './settings-text.js';

/** Browsers allow about a hundred changes of the address in half a minute. */
const pauseMs = 500;

/**
 * Keeps what the user has set in the address of the page, so that it can be shared, and in this browser, for the next
 * visit. The address wins.
 */
export class Memory {
  readonly #desk: ParameterDesk;
  readonly #definitions: Definitions;
  readonly #key: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Restores what is kept for the model, and keeps what is set from now on. */
  constructor(desk: ParameterDesk, model: string, definitions: Definitions) {
    this.#desk = desk;
    this.#definitions = definitions;
    this.#key = `millrace-settings:${model}`;
    // What was set before this is newer than what is kept.
    const before = { ...this.#restore(), ...desk.chosen.peek() };
    if (Object.keys(before).length > 0) desk.replace(before);
    addEventListener('hashchange', () => {
      const linked = fromFragment(location.hash, definitions);
      if (linked) desk.replace(linked);
    });
    effect(() => {
      // It is read here so that the effect runs when it changes.
      if (Object.keys(desk.chosen.value).length === 0 && location.hash === '') return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#keep(), pauseMs);
    });
  }

  /** Returns an address that opens the page with what is set now. */
  get link(): string {
    this.#keep();
    return location.href;
  }

  #restore(): ParameterUpdate | undefined {
    const linked = fromFragment(location.hash, this.#definitions);
    if (linked) return linked;
    try {
      return parseLooks(readKept(this.#key) ?? '')[0]?.parameters;
    } catch {
      return undefined;
    }
  }

  #keep(): void {
    clearTimeout(this.#timer);
    const parameters = this.#desk.changed;
    const fragment = toFragment(parameters, this.#definitions, location.hash);
    const address = `${location.pathname}${location.search}${fragment === '' ? '' : `#${fragment}`}`;
    history.replaceState(history.state, '', address);
    const { style_image: _, ...others } = parameters;
    // A style image may be too large for this browser.
    const isKept = keep(this.#key, formatLooks([{ name: 'last', parameters }]));
    if (!isKept) keep(this.#key, formatLooks([{ name: 'last', parameters: others }]));
  }
}
