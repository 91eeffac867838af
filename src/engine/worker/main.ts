import type { StreamParameters } from '@millrace/protocol';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { bankBytes } from '../../diffusion/attention-bank.js';
import { readModelFolder } from '../../model/folder.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { asError } from '../as-error.js';
import { BufferPool } from '../buffer-pool.js';
import { ExpectedCosts, pictureBudget, rowBudget } from '../costs.js';
import { deviceName, parseDevice } from '../device.js';
import { ParameterError } from '../engine.js';
import type { Ask, EngineFacts, Question, Questions, ToWorker, WorkerOptions } from '../messages.js';
import { BankMemory } from './streams/bank-memory.js';
import { ChangeQueue, type Change } from './streams/change-queue.js';
import { PromptEmbedder } from './conditioning/prompt-embedder.js';
import { PromptReader } from './conditioning/prompt-reader.js';
import { createStyleCache } from './conditioning/style.js';
import { exportNotes } from './calibration/export-notes.js';
import { FrameLoop, type FrameLoopOptions } from './streams/frame-loop.js';
import { LiveStream } from './streams/live-stream.js';
import { recycle, type Post } from './streams/post.js';
import { SafetyGuard } from './streams/safety-guard.js';
import type { StreamContext } from './streams/stream-context.js';
import { NotFiniteError, refusedInput } from './networks/finite.js';
import { measureCosts } from './calibration/measure.js';
import { loadPrecision } from './calibration/precision.js';
import { chooseDevice, surroundings } from './devices/providers.js';
import { buildsEngines } from './devices/session-options.js';
import type { ModelRuntime } from './networks/runtime.js';
import { checkSolvers } from './planning/check-solvers.js';
import { usualSize } from './networks/sizes.js';
import { TrialPicture } from './calibration/trial-picture.js';
import { WorkPrices } from './streams/work-prices.js';

/**
 * The engine's worker thread. It handles messages only between U-Net calls, so every change takes effect at a frame
 * boundary, for the whole stream at once.
 */
class EngineWorker {
  readonly #runtime: ModelRuntime;
  readonly #context: StreamContext;
  readonly #loop: FrameLoop;
  readonly #post: Post;
  readonly #pixels: BufferPool;
  readonly #streams = new Map<number, LiveStream>();
  readonly #changes = new ChangeQueue();
  readonly #reader: PromptReader;
  readonly #onProcessor: boolean;

  constructor(
    runtime: ModelRuntime,
    context: Omit<StreamContext, 'drop' | 'model'>,
    { onProcessor, ...options }: Omit<FrameLoopOptions, 'pixels'> & { readonly onProcessor: boolean },
  ) {
    const { post } = options;
    this.#onProcessor = onProcessor;
    this.#runtime = runtime;
    this.#reader = new PromptReader(runtime);
    this.#post = post;
    this.#pixels = new BufferPool(8);
    this.#context = {
      ...context,
      model: runtime,
      drop: (stream, { frame, input }, reason) => {
        post({ type: 'dropped', stream, frame, reason });
        recycle(input, post);
      },
    };
    this.#loop = new FrameLoop(runtime, { ...options, pixels: this.#pixels });
  }

  /** Runs until a `stop` message. */
  async run(inbox: Inbox, outbox: Outbox): Promise<void> {
    let frameMs = 0;
    for (;;) {
      for (const message of inbox.take()) {
        if (message.type === 'stop') return this.#runtime[Symbol.asyncDispose]();
        this.#handle(message);
      }
      const changed = await this.#change(frameMs);
      const start = performance.now();
      const called = await this.#loop.turn();
      frameMs = performance.now() - start;
      outbox.flush();
      // Messages that arrived during the call are only delivered by a turn of the event loop.
      if (changed || called) await nextTurn();
      else await inbox.filled(this.#loop.rest);
    }
  }

  #handle(message: Exclude<ToWorker, { type: 'stop' }>): void {
    if (message.type === 'recycle') return this.#pixels.give(message.pixels);
    if (message.type === 'close') this.#changes.cancel(message.stream);
    else if (this.#changes.put(message)) return;
    const stream = this.#streams.get(message.stream);
    // The message may have been sent before its stream was known to be refused.
    if (stream === undefined) return;
    switch (message.type) {
      case 'frame':
        if (this.#onProcessor) this.#loop.charge(stream, message.input.decodeMs ?? 0);
        return stream.push({ ...message, arrivedAt: performance.now() }, message.replace);
      case 'ask':
        return this.#answerNow(message, stream);
      case 'close':
        for (const { input } of stream.close()) recycle(input, this.#post);
        this.#streams.delete(message.stream);
        return this.#loop.remove(stream);
    }
  }

  /**
   * Applies waiting changes: at least one, then more for as long as the last turn of frames took, so that neither
   * blocks the other.
   * @returns false if none was waiting.
   */
  async #change(frameMs: number): Promise<boolean> {
    const begin = performance.now();
    let next = this.#changes.take();
    const changed = next !== null;
    while (next !== null) {
      const { change, behind } = next;
      const start = performance.now();
      await this.#make(change);
      const end = performance.now();
      const stream = this.#streams.get(change.stream);
      if (stream) this.#loop.charge(stream, end - start);
      for (const message of behind) this.#handle(message);
      next = end - begin < frameMs ? this.#changes.take() : null;
    }
    return changed;
  }

  /** Makes a change and answers, or refuses it. */
  async #make(change: Change): Promise<void> {
    try {
      await (change.question === 'open' ? this.#open(change) : this.#configure(change));
    } catch (error) {
      const { field, message } = this.#refusal(error);
      const { stream, request } = change;
      this.#post({ type: 'refused', stream, request, field, message });
    }
  }

  async #open(ask: Ask<'open'>): Promise<void> {
    const { parameters, state, account } = ask.argument;
    const stream = await LiveStream.open({ id: ask.stream, account }, this.#context, parameters);
    if (state) stream.restore(state);
    if (state?.finished && parameters.pixel_feedback > 0) await this.#loop.recall(stream, state.finished);
    this.#streams.set(ask.stream, stream);
    this.#loop.add(stream);
    await this.#tellUnderstood(ask.stream, parameters);
    this.#answer(ask, null);
  }

  async #configure(ask: Ask<'configure'>): Promise<void> {
    const stream = this.#streams.get(ask.stream);
    // It may have been sent before its stream was known to be refused.
    if (stream === undefined) return;
    const from = await stream.configure(ask.argument);
    await this.#tellUnderstood(ask.stream, ask.argument);
    this.#answer(ask, { from });
  }

  async #tellUnderstood(stream: number, parameters: StreamParameters): Promise<void> {
    try {
      const prompts = await this.#reader.read(parameters);
      this.#post({ type: 'understood', stream, prompts });
    } catch (error) {
      // A part of a prompt is refused by no one, since nobody sees its embedding.
      if (!(error instanceof NotFiniteError)) throw error;
      this.#post({ type: 'understood', stream, prompts: [] });
    }
  }

  /** Answers a question that takes no time. */
  #answerNow(ask: Ask, stream: LiveStream): void {
    switch (ask.question) {
      case 'snapshot':
        return this.#answer(ask, stream.snapshot());
      case 'open':
      case 'configure':
        throw new Error('unreachable: changes wait for their turn');
    }
  }

  #answer<Q extends Question>({ stream, request, question }: Ask<Q>, value: Questions[Q]['value']): void {
    this.#post({ type: 'answered', stream, request, question, value });
  }

  /** Returns the error to send for invalid parameters. @throws any other error, which ends the worker. */
  #refusal(error: unknown): ParameterError {
    if (error instanceof ParameterError) return error;
    if (!(error instanceof NotFiniteError)) throw error;
    this.#post({ type: 'not_finite', part: error.part });
    return refusedInput(error);
  }
}

/** Largest share of the memory that is free at the start for the attention banks of all streams. */
const bankShare = 1 / 4;

/** A `stop` message arrived before the worker was ready. */
class Stopped extends Error {}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function main(port: NonNullable<typeof parentPort>): Promise<void> {
  const outbox = new Outbox(port);
  const post: Post = (message, transfer) => outbox.post(message, transfer);
  const inbox = new Inbox();
  port.on('message', (message: ToWorker) => inbox.put(message));
  const options = workerData as WorkerOptions;
  const { model, device: asked, threads, cacheDirectory, precision = 'auto', calibration = 'auto' } = options;
  try {
    const folder = await readModelFolder(model);
    const { device, because } = await chooseDevice(parseDevice(asked), surroundings());
    if (because !== null) post({ type: 'note', text: because });
    const builds = buildsEngines(device);
    if (builds) post({ type: 'note', text: builds.note });
    // The start is a series of long calls, between which the event loop delivers no messages.
    const proceed = (): void => {
      for (let sent = receiveMessageOnPort(port); sent; sent = receiveMessageOnPort(port)) {
        inbox.put(sent.message as ToWorker);
      }
      if (inbox.stops) throw new Stopped();
    };
    const onNote = (text: string): void => post({ type: 'note', text });
    const onProgress = (what: string): void => {
      proceed();
      post({ type: 'starting', what: `${builds?.during ?? ''}${what}` });
      outbox.flush();
    };
    for (const text of folder.notes) onNote(text);
    for (const text of checkSolvers(folder)) onNote(text);
    const kept = { device, threads, cacheDirectory, calibration, proceed, onProgress, onNote };
    await using guard = await SafetyGuard.load(folder.root, {
      ...kept,
      setting: options.safetyChecker,
      post,
    });
    const { runtime, because: reason } = await loadPrecision(folder, { precision, ...kept });
    if (reason !== null) post({ type: 'note', text: reason });
    onProgress('drawing a trial picture');
    await new TrialPicture(runtime).draw();
    const prompts = await PromptEmbedder.create(runtime, (hit) => post({ type: 'embedding', hit }));
    const measured = await measureCosts(runtime, kept);
    const { costs } = measured;
    const usual = runtime.latentShape(usualSize(folder));
    const bankLimit = bankShare * process.availableMemory();
    const { bank } = folder.layout.steered ?? {};
    const rowBytes = bankBytes(bank ?? [], usual, { frames: 1, rows: 1 });
    const facts: EngineFacts = {
      device: deviceName(device),
      ...measured,
      rowBudget: rowBudget(costs),
      ...(bank && { bank: { limit: bankLimit, rowBytes } }),
    };
    for (const text of exportNotes(folder, runtime.mixesTimesteps, costs)) post({ type: 'note', text });
    const expected = new ExpectedCosts(measured, usual);
    const onProcessor = device.provider === 'cpu';
    const prices = new WorkPrices(expected, { rowBudget: facts.rowBudget, usual });
    const budgets = { rowBudget: facts.rowBudget, pictureBudget: pictureBudget(measured) };
    const worker = new EngineWorker(
      runtime,
      {
        prompts,
        styleTokens: createStyleCache(runtime.imageEncoder),
        costs,
        pictureMs: measured.pictureMs,
        prices,
        bankMemory: new BankMemory(bankLimit),
      },
      { ...budgets, expected, prices, post, guard, onProcessor },
    );
    post({ type: 'ready', ...facts });
    await worker.run(inbox, outbox);
    post({ type: 'stopped' });
  } catch (error) {
    if (error instanceof Stopped) return;
    post({ type: 'failed', message: asError(error).message });
  } finally {
    outbox.flush();
    port.close();
  }
}

if (parentPort === null) throw new Error('this file runs in a worker thread');
await main(parentPort);
