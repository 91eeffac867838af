/** A promise that is settled from outside. (Promise.withResolvers came with Node 22.) */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: Error): void;
}

/** A rejection that nobody waits for is no unhandled one: whoever makes the deferred tells the error elsewhere too. */
export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  promise.catch(() => {});
  if (settle === undefined) throw new Error('unreachable: a promise calls its executor at once');
  return { promise, ...settle };
}
