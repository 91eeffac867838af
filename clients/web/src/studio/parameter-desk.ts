import {
  MillraceError,
  type MillraceStream,
  type ParameterUpdate,
  type UnderstoodPrompt,
} from '@millrace/client';
import { computed, signal } from '@preact/signals';
import { isRefusedValue } from './refused-value.js';

export type ParameterName = keyof ParameterUpdate;

/** Returns what is wrong with a value; one with a problem is not sent. */
type Check = (name: ParameterName, value: unknown) => string | undefined;

/** Time between two updates while a control is being moved. */
const pauseMs = 150;

/**
 * The parameters that the user has set: shown at once, sent to the stream a few times per second, one update at a
 * time. A refused value stays in its control, with the reason beside it.
 */
export class ParameterDesk {
  /** Values that were set here; all others come from the server. */
  readonly chosen = signal<ParameterUpdate>({});
  readonly inForce = signal<ParameterUpdate>({});
  /** What the model sets itself. */
  readonly defaults = signal<ParameterUpdate>({});
  /** What the model made of the prompts in force; empty if the server does not say. */
  readonly understood = signal<readonly UnderstoodPrompt[]>([]);
  /** Why values were refused, by this page or by the server. */
  readonly problems = signal<Readonly<Partial<Record<ParameterName, string>>>>({});
  /** Values that something moves all the time, such as a sound; they are sent, but not what the user has set. */
  readonly moving = signal<ParameterUpdate>({});
  readonly values = computed<ParameterUpdate>(() => ({
    ...this.inForce.value,
    ...this.chosen.value,
    ...this.moving.value,
  }));
  readonly #check: Check;
  #stream: MillraceStream | undefined;
  #waiting = new Set<ParameterName>();
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  /** The parameters for a new stream: everything set here that was not refused. */
  get start(): ParameterUpdate {
    const refused = this.problems.peek();
    return select(this.chosen.peek(), (name) => refused[name] === undefined);
  }

  /** What was set here to other values than the defaults, and not refused. */
  get changed(): ParameterUpdate {
    const defaults = this.defaults.peek();
    const { start } = this;
    return select(start, (name) => JSON.stringify(start[name]) !== JSON.stringify(defaults[name]));
  }

  attach(stream: MillraceStream): void {
    this.#stream = stream;
    this.inForce.value = stream.parameters;
    this.understood.value = stream.understood ?? [];
    // Values that were set while it connected may have missed its initial parameters.
    this.#schedule(0);
  }

  detach(): void {
    this.#stream = undefined;
    this.understood.value = [];
    this.#waiting.clear();
  }

  /**
   * Sets a parameter.
   * @param settled whether to send it at once: false while a slider moves or a text is typed.
   */
  set<Name extends ParameterName>(name: Name, value: ParameterUpdate[Name], settled = false): void {
    this.chosen.value = { ...this.chosen.peek(), [name]: value };
    this.#submit(name, value);
    this.#schedule(settled ? 0 : pauseMs);
  }

  /** Sets these parameters, and all others that were set here to their defaults. */
  replace(parameters: ParameterUpdate): void {
    const before = this.chosen.peek();
    this.chosen.value = { ...select(this.defaults.peek(), (name) => name in before), ...parameters };
    this.#submitAll(this.chosen.peek());
    this.#schedule(0);
  }

  /** Sets several parameters, a few times per second. */
  apply(parameters: ParameterUpdate): void {
    this.chosen.value = { ...this.chosen.peek(), ...parameters };
    this.#submitAll(parameters);
    this.#schedule(pauseMs);
  }

  /** Moves a parameter away from the value that was set, until `release` is called. */
  modulate(name: ParameterName, value: number): void {
    if (this.moving.peek()[name] === value) return;
    this.moving.value = { ...this.moving.peek(), [name]: value };
    this.#waiting.add(name);
    this.#schedule(pauseMs);
  }

  /** Takes a parameter back to the value that was set. */
  release(name: ParameterName): void {
    if (!(name in this.moving.peek())) return;
    this.moving.value = select(this.moving.peek(), (other) => other !== name);
    this.#waiting.add(name);
    this.#schedule(0);
  }

  #submitAll(parameters: ParameterUpdate): void {
    for (const [name, value] of Object.entries(parameters)) this.#submit(name as ParameterName, value);
  }

  /** Has a value sent, unless it cannot be valid. */
  #submit(name: ParameterName, value: unknown): void {
    const problem = this.#check(name, value);
    if (problem !== undefined) {
      this.#waiting.delete(name);
      this.#refuse(name, problem);
      return;
    }
    this.#clearProblem(name);
    this.#waiting.add(name);
  }

  /**
   * Records that the server refused an initial parameter of a stream; the next stream starts without it.
   * @returns false if no parameter was set here that could be left out.
   */
  refuseStart(field: string | undefined, message: string): boolean {
    const name = this.#culprit(field, new Set(Object.keys(this.start) as ParameterName[]));
    if (name !== undefined) this.#refuse(name, message);
    return name !== undefined;
  }

  #refuse(name: ParameterName, message: string): void {
    this.problems.value = { ...this.problems.peek(), [name]: message };
  }

  #clearProblem(name: ParameterName): void {
    this.problems.value = select(this.problems.peek(), (other) => other !== name);
  }

  /** Returns the parameter at which a refusal is shown: the named one if it was sent, else the first one that was. */
  #culprit(field: string | undefined, sent: ReadonlySet<ParameterName>): ParameterName | undefined {
    // The field may be inside a value, such as prompt[1].weight.
    const named = /^\w+/.exec(field ?? '')?.[0];
    return [...sent].find((name) => name === named) ?? [...sent][0];
  }

  #schedule(delay: number): void {
    if (delay > 0 && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, delay);
  }

  async #send(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || this.#sending || this.#waiting.size === 0) return;
    const sent = this.#waiting;
    this.#waiting = new Set();
    this.#sending = true;
    try {
      const all = { ...this.defaults.peek(), ...this.chosen.peek(), ...this.moving.peek() };
      const update = await stream.update(select(all, (name) => sent.has(name)));
      if (this.#stream === stream) {
        this.inForce.value = update.parameters;
        this.understood.value = update.understood ?? [];
      }
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#handleRefusal(error, sent);
    } finally {
      this.#sending = false;
    }
    if (this.#waiting.size > 0) this.#schedule(pauseMs);
  }

  /** An update applies as a whole or not at all: the other values of a refused one are sent again. */
  #handleRefusal(error: MillraceError, sent: ReadonlySet<ParameterName>): void {
    if (error.code === 'rate_limited') {
      for (const name of sent) this.#waiting.add(name);
      return;
    }
    if (!isRefusedValue(error)) return; // The stream ended; the next one starts with all of it.
    const culprit = this.#culprit(error.field, sent);
    if (culprit === undefined) return;
    this.#refuse(culprit, error.message);
    for (const name of sent) if (name !== culprit) this.#waiting.add(name);
  }
}

function select<Values extends object>(values: Values, wanted: (name: ParameterName) => boolean): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => wanted(name as ParameterName)),
  ) as Values;
}
