type Listener<Value> = (value: Value) => void;

/** Typed events: `Events` maps each name to the argument of its listeners. */
export class Emitter<Events extends object> {
  readonly #listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** Calls `listener` at every event of that name, until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const listeners = (this.#listeners[name] ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Returns whether there has ever been a listener for events of that name. */
  listened(name: keyof Events): boolean {
    return this.#listeners[name] !== undefined;
  }

  /** Calls all listeners. An error in one is reported as uncaught and affects neither the others nor the caller. */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of this.#listeners[name] ?? []) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
