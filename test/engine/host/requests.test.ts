import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { Requests } from '../../../src/engine/host/requests.js';
import type { Ask, Question, Questions } from '../../../src/engine/messages.js';

const parameters = defaultParameters();
const state = { ordinal: 3, frames: [] };

/** Creates the questions of a stream to the test, and records them and what their callbacks get. */
function setUp() {
  const posted: Ask[] = [];
  const answers: unknown[] = [];
  const requests = new Requests(5, (message) => void posted.push(message));
  const answer = <Q extends Question>(request: number, question: Q, value: Questions[Q]['value']): void =>
    requests.settle({ type: 'answered', stream: 5, request, question, value });
  const refuse = (request: number): void =>
    requests.settle({ type: 'refused', stream: 5, request, field: 'width', message: 'no' });
  const note = (value: unknown): void => void answers.push(value);
  return { requests, posted, answers, answer, refuse, note };
}

describe('questions to the worker', () => {
  it('are numbered, and say what is asked about which stream', () => {
    const { requests, posted } = setUp();
    const start = { parameters, state, account: 'a tenant' };
    void requests.ask('open', start);
    void requests.ask('configure', parameters);
    void requests.ask('snapshot', null);
    assert.deepEqual(posted, [
      { type: 'ask', stream: 5, request: 0, question: 'open', argument: start },
      { type: 'ask', stream: 5, request: 1, question: 'configure', argument: parameters },
      { type: 'ask', stream: 5, request: 2, question: 'snapshot', argument: null },
    ]);
  });

  it('are answered in any order, each with its own value', async () => {
    const { requests, answer, refuse } = setUp();
    const first = requests.ask('configure', parameters);
    const second = requests.ask('snapshot', null);
    const third = requests.ask('configure', parameters);
    const fourth = requests.ask('configure', parameters);
    answer(3, 'configure', { from: 9 });
    refuse(2);
    answer(1, 'snapshot', state);
    answer(0, 'configure', { from: 7 });
    assert.deepEqual(await Promise.all([first, second, fourth]), [{ from: 7 }, state, { from: 9 }]);
    await assert.rejects(third, { name: 'ParameterError', field: 'width', message: 'no' });
  });

  it('pass their answer to the callback at once, and only an answer', () => {
    const { requests, answers, answer, refuse, note } = setUp();
    void requests.ask('configure', parameters, note);
    void requests.ask('configure', parameters, note);
    void requests.ask('snapshot', null, note);
    refuse(0);
    answer(1, 'configure', { from: 7 });
    assert.deepEqual(answers, [{ from: 7 }]);
    requests.rejectAll(new Error('gone'));
    assert.deepEqual(answers, [{ from: 7 }]);
  });

  it('are answered once: later answers, and answers that nobody waits for, do nothing', async () => {
    const { requests, answers, answer, refuse, note } = setUp();
    answer(0, 'configure', { from: 1 });
    refuse(1);
    const answered = requests.ask('configure', parameters, note);
    const refused = requests.ask('configure', parameters, note);
    answer(0, 'configure', { from: 2 });
    answer(0, 'configure', { from: 3 });
    refuse(0);
    refuse(1);
    answer(1, 'configure', { from: 4 });
    answer(2, 'configure', { from: 5 });
    assert.deepEqual(await answered, { from: 2 });
    await assert.rejects(refused, { field: 'width' });
    assert.deepEqual(answers, [{ from: 2 }]);
  });

  it('are all rejected with the reason if the worker dies, and a late answer meets no other question', async () => {
    const { requests, posted, answers, answer, note } = setUp();
    const lost = [requests.ask('configure', parameters, note), requests.ask('snapshot', null, note)];
    const reason = new Error('gone');
    requests.rejectAll(reason);
    for (const outcome of lost) await assert.rejects(outcome, reason);
    const next = requests.ask('configure', parameters, note);
    assert.equal(posted.at(-1)?.request, 2);
    answer(0, 'configure', { from: 1 });
    answer(1, 'snapshot', state);
    assert.deepEqual(answers, []);
    answer(2, 'configure', { from: 8 });
    assert.deepEqual(await next, { from: 8 });
  });
});
