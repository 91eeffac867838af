import { deferred } from '../deferred.js';
import { ParameterError } from '../engine.js';
import type { Answered, Ask, Question, Questions, Refused } from '../messages.js';

type Value = Questions[Question]['value'];

/** A question that is not answered yet. */
interface Pending {
  readonly answer: (value: Value) => void;
  readonly reject: (reason: Error) => void;
}

/** The questions of one stream to the worker. */
export class Requests {
  readonly #stream: number;
  readonly #post: (message: Ask) => void;
  /** By their numbers, which are never used again: a late answer meets no other question. */
  readonly #pending = new Map<number, Pending>();
  #next = 0;

  constructor(stream: number, post: (message: Ask) => void) {
    this.#stream = stream;
    this.#post = post;
  }

  /**
   * Asks the worker a question.
   * @param onAnswer called with the answer at once, so before any later message of the worker; code that waits for the
   * promise runs after the current call.
   * @throws {ParameterError} if the worker refuses the parameters.
   * @throws the reason of `rejectAll` if that is called before the answer.
   */
  ask<Q extends Question>(
    question: Q,
    argument: Questions[Q]['argument'],
    onAnswer?: (value: Questions[Q]['value']) => void,
  ): Promise<Questions[Q]['value']> {
    const request = this.#next++;
    const outcome = deferred<Questions[Q]['value']>();
    this.#pending.set(request, {
      answer(value) {
        // The worker answers each question with a value of its type.
        const own = value as Questions[Q]['value'];
        onAnswer?.(own);
        outcome.resolve(own);
      },
      reject: (reason) => outcome.reject(reason),
    });
    const message: Ask<Q> = { type: 'ask', stream: this.#stream, request, question, argument };
    // For TypeScript, the message with one question is not one of the messages with any question.
    this.#post(message as Ask);
    return outcome.promise;
  }

  /** Settles the question that the message answers; without such a question, does nothing. */
  settle(message: Answered | Refused): void {
    const pending = this.#pending.get(message.request);
    this.#pending.delete(message.request);
    if (message.type === 'answered') pending?.answer(message.value);
    else pending?.reject(new ParameterError(message.field, message.message));
  }

  /** Rejects all pending questions. */
  rejectAll(reason: Error): void {
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}
