import { MillraceError, type MillraceStream, type ParameterUpdate } from '@millrace/client';
import { computed, signal } from '@preact/signals';

export type ParameterName = keyof ParameterUpdate;

/** Says what is wrong with a value that is to be refused without being sent. */
type Check = (name: ParameterName, value: unknown) => string | undefined;

/** Time between two updates while a control is being moved, in milliseconds. */
const pause = 150;

/**
 * What the person has set: shown at once, sent to the stream a few times a second, one update at a time.
 * A value that is refused stays in its control with the reason beside it.
 */
export class ParameterDesk {
  /** Values that were set here; all others have the server's. */
  readonly chosen = signal<ParameterUpdate>({});
  readonly inForce = signal<ParameterUpdate>({});
  /** What is wrong with values that were refused, here or in the server's words. */
  readonly problems = signal<Readonly<Partial<Record<ParameterName, string>>>>({});
  readonly values = computed<ParameterUpdate>(() => ({ ...this.inForce.value, ...this.chosen.value }));
  readonly #check: Check;
  #stream: MillraceStream | undefined;
  #waiting = new Set<ParameterName>();
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  /** What a new stream starts with: everything set here that is not known to be wrong. */
  get start(): ParameterUpdate {
    const refused = this.problems.peek();
    return select(this.chosen.peek(), (name) => refused[name] === undefined);
  }

  attach(stream: MillraceStream): void {
    this.#stream = stream;
    this.inForce.value = stream.parameters;
    // What was set while it connected may have come too late for its start.
    this.#schedule(0);
  }

  detach(): void {
    this.#stream = undefined;
    this.#waiting.clear();
  }

  /**
   * Sets a parameter.
   * @param settled whether it is worth sending at once: a choice was made rather than a slider moved.
   */
  set<Name extends ParameterName>(name: Name, value: ParameterUpdate[Name], settled = false): void {
    this.chosen.value = { ...this.chosen.peek(), [name]: value };
    const problem = this.#check(name, value);
    if (problem !== undefined) {
      this.#waiting.delete(name);
      this.#refuse(name, problem);
      return;
    }
    this.#forgive(name);
    this.#waiting.add(name);
    this.#schedule(settled ? 0 : pause);
  }

  /** Sets everything that was set here back to `defaults`. */
  reset(defaults: ParameterUpdate): void {
    for (const name of Object.keys(this.chosen.peek()) as ParameterName[]) this.#waiting.add(name);
    this.chosen.value = select(defaults, (name) => this.#waiting.has(name));
    this.problems.value = {};
    this.#schedule(0);
  }

  /**
   * Notes the server's refusal of what a stream was to start with; the next one starts without it.
   * @returns false if nothing was set here that could be left out.
   */
  refuseStart(field: string | undefined, message: string): boolean {
    const name = this.#culprit(field, new Set(Object.keys(this.start) as ParameterName[]));
    if (name !== undefined) this.#refuse(name, message);
    return name !== undefined;
  }

  #refuse(name: ParameterName, message: string): void {
    this.problems.value = { ...this.problems.peek(), [name]: message };
  }

  #forgive(name: ParameterName): void {
    this.problems.value = select(this.problems.peek(), (other) => other !== name);
  }

  /** Where a refusal is shown: at its own parameter if that was sent, else at one that was. */
  #culprit(field: string | undefined, sent: ReadonlySet<ParameterName>): ParameterName | undefined {
    // The field may be inside of a value, such as prompt[1].weight.
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
      const update = await stream.update(select(this.chosen.peek(), (name) => sent.has(name)));
      if (this.#stream === stream) this.inForce.value = update.parameters;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#handleRefusal(error, sent);
    } finally {
      this.#sending = false;
    }
    if (this.#waiting.size > 0) this.#schedule(pause);
  }

  /** An update is taken whole or not at all, so what was sent beside the wrong value is sent again. */
  #handleRefusal(error: MillraceError, sent: ReadonlySet<ParameterName>): void {
    if (error.code === 'rate_limited') {
      for (const name of sent) this.#waiting.add(name);
      return;
    }
    if (error.code !== 'invalid_parameter') return; // The stream ended; the next one starts with all of it.
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
