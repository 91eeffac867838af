import type { Answered, FromWorker, Question } from '../../../src/engine/messages.js';

/** The type of a message of the worker; for an answer, the question. */
export type Kind = Exclude<FromWorker['type'], 'answered'> | Question;
export type Message<K extends Kind> = K extends Question
  ? Answered<K>
  : Extract<FromWorker, { readonly type: K }>;

export function kindOf(message: FromWorker): Kind {
  return message.type === 'answered' ? message.question : message.type;
}

export function isKind<K extends Kind>(message: FromWorker, kinds: readonly K[]): message is Message<K> {
  return kinds.some((kind) => kind === kindOf(message));
}
