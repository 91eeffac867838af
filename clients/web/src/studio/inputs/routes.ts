import { signal } from '@preact/signals';
import type { ParameterDesk, ParameterName } from '../parameter-desk.js';
import type { Definitions } from '../settings-text.js';
import { keep, readKept } from '../storage.js';

/** What moves a parameter: a knob, a key, a sound. Its values are from 0 to 1. */
export interface Route {
  /** Such as `midi 1:74`; empty: not chosen yet. */
  readonly input: string;
  readonly parameter: ParameterName;
  /** The values of the parameter at 0 and at 1. */
  readonly from: number;
  readonly to: number;
}

const key = 'millrace-routes';
/** How far a knob must be moved to be learned: some send noise. */
const leastMove = 0.08;
/** Inputs that move all the time: what they do is not kept in looks, links and the history. */
const moving = /^(microphone|beat|wave)/;

/** Inputs and the parameters that they move. */
export class Routes {
  readonly all = signal<readonly Route[]>(read());
  /** The route for which an input is being learned. */
  readonly learning = signal<number>();
  readonly #desk: ParameterDesk;
  readonly #definitions: () => Definitions;
  #rest = new Map<string, number>();

  constructor(desk: ParameterDesk, definitions: () => Definitions) {
    this.#desk = desk;
    this.#definitions = definitions;
  }

  add(parameter: ParameterName, input = ''): void {
    this.#keep([...this.all.peek(), { input, parameter, ...this.#rangeOf(parameter) }]);
    if (input === '') this.learn(this.all.peek().length - 1);
  }

  /** Gives a route another parameter, over its range. */
  redirect(index: number, parameter: ParameterName): void {
    this.change(index, { parameter, ...this.#rangeOf(parameter) });
  }

  change(index: number, change: Partial<Route>): void {
    this.#release(index);
    const route = this.all.peek()[index];
    if (route) this.#keep(this.all.peek().with(index, { ...route, ...change }));
  }

  remove(index: number): void {
    this.#release(index);
    this.learning.value = undefined;
    this.#keep(this.all.peek().toSpliced(index, 1));
  }

  /** Gives a route the next knob or key that moves. */
  learn(index: number): void {
    this.#rest = new Map();
    this.learning.value = index;
  }

  /** Takes a value of an input, from 0 to 1. */
  receive(input: string, value: number): void {
    this.#learnFrom(input, value);
    for (const { parameter, from, to, input: own } of this.all.peek()) {
      if (own !== input) continue;
      const definition = this.#definitions()[parameter];
      if (definition === undefined) continue;
      const raw = from + (to - from) * value;
      const step = definition.multipleOf ?? (definition.type === 'integer' ? 1 : 0.001);
      const moved = Number((Math.round(raw / step) * step).toFixed(3));
      if (moving.test(input)) this.#desk.modulate(parameter, moved);
      else this.#desk.set(parameter, moved);
    }
  }

  /** Ends what the microphone, beats and waves do. */
  releaseAll(): void {
    for (const i of this.all.peek().keys()) this.#release(i);
  }

  /** Returns the values that look good with this model, if it says so. */
  #rangeOf(parameter: ParameterName): Pick<Route, 'from' | 'to'> {
    const { minimum = 0, maximum = 1, 'x-useful': useful } = this.#definitions()[parameter] ?? {};
    const [from, to] = useful ?? [minimum, maximum];
    return { from, to };
  }

  #learnFrom(input: string, value: number): void {
    const index = this.learning.peek();
    if (index === undefined || moving.test(input)) return;
    const rest = this.#rest.get(input);
    // The first value of an unknown input may be where it rests; keys and notes start from 0.
    this.#rest.set(input, rest ?? value);
    if (Math.abs(value - (rest ?? (/key/.test(input) ? 0 : value))) < leastMove) return;
    this.learning.value = undefined;
    this.change(index, { input });
  }

  #release(index: number): void {
    const parameter = this.all.peek()[index]?.parameter;
    if (parameter !== undefined) this.#desk.release(parameter);
  }

  #keep(routes: readonly Route[]): void {
    this.all.value = routes;
    keep(key, JSON.stringify(routes));
  }
}

function read(): readonly Route[] {
  try {
    const routes: unknown = JSON.parse(readKept(key) ?? '[]');
    return Array.isArray(routes) ? routes.filter(isRoute) : [];
  } catch {
    return [];
  }
}

function isRoute(value: unknown): value is Route {
  if (typeof value !== 'object' || value === null) return false;
  const { input, parameter, from, to } = value as Partial<Record<keyof Route, unknown>>;
  return (
    typeof input === 'string' && typeof parameter === 'string' && Number.isFinite(from) && Number.isFinite(to)
  );
}
