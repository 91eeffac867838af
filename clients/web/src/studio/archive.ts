import { MillraceError, type Look } from '@millrace/client';
import { longestLookName } from '@millrace/protocol';
import { signal } from '@preact/signals';
import { download } from './download.js';
import { Looks } from './looks.js';
import type { ParameterDesk } from './parameter-desk.js';
import { plainPrompt } from './plain-prompt.js';
import { Recorder } from './recorder.js';
import { lookOf, takePreview, takeSnapshot } from './snapshot.js';

interface ArchiveOptions {
  readonly desk: ParameterDesk;
  /** Returns the canvas of the output; undefined while it shows nothing. */
  readonly canvas: () => HTMLCanvasElement | undefined;
  /** Returns the name of the model. */
  readonly model: () => string | undefined;
  readonly playFile: (file: File) => void;
  /** Tells the user something. */
  readonly announce: (text: string) => void;
}

/** What the user keeps: looks, pictures and recordings. Nothing of it goes to the server. */
export class Archive {
  readonly looks: Looks;
  readonly recorder = new Recorder();
  /** Whether recordings have the sound of the microphone. */
  readonly withSound = signal(false);
  /** Whether looks and pictures leave the seed as it is. */
  readonly seedLocked = signal(false);
  readonly #options: ArchiveOptions;

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.looks = new Looks(options.announce);
  }

  /** Saves what is set now as a look, with a small picture if there is one. */
  saveLook(): void {
    const canvas = this.#options.canvas();
    const picture = canvas && takePreview(canvas);
    this.looks.save({ ...this.#present(this.looks.freeName), ...(picture && { picture }) });
  }

  apply({ name, model, parameters }: Look): void {
    const { desk, announce } = this.#options;
    const { seed } = desk.values.peek();
    desk.replace(this.seedLocked.peek() && seed !== undefined ? { ...parameters, seed } : parameters);
    const own = this.#options.model();
    const isForeign = model !== undefined && own !== undefined && model !== own;
    announce(isForeign ? `${name}: made with the model ${model}, and may look different here` : name);
  }

  /** Makes looks leave the seed as it is, or ends that. */
  turnSeedLock(): void {
    this.seedLocked.value = !this.seedLocked.peek();
  }

  /** Saves the present picture, with its look in it. */
  async savePicture(): Promise<void> {
    const canvas = this.#options.canvas();
    if (canvas === undefined) return;
    const prompt = plainPrompt(this.#options.desk.values.peek().prompt);
    const look = this.#present(prompt.slice(0, longestLookName) || 'Picture');
    download(await takeSnapshot(canvas, look, prompt), 'png');
  }

  /** Starts a recording, or ends and saves it. */
  async toggleRecording(): Promise<void> {
    if (await this.endRecording()) return;
    const canvas = this.#options.canvas();
    if (canvas === undefined) return;
    try {
      await this.recorder.start(canvas, this.withSound.peek());
    } catch (error) {
      this.#options.announce(error instanceof Error ? error.message : String(error));
    }
  }

  /** Ends and saves a recording. @returns whether there was one. */
  async endRecording(): Promise<boolean> {
    const recording = await this.recorder.stop();
    if (recording) download(recording.file, recording.extension);
    return recording !== undefined;
  }

  /** Opens a file of looks, a picture (by the look in it, if it was saved here), or a video. */
  async open(file: File): Promise<void> {
    const { announce, playFile } = this.#options;
    try {
      if (file.type === 'application/json' || file.name.endsWith('.json')) {
        const count = this.looks.add(await file.text());
        return announce(count === 1 ? 'One look was added.' : `${count} looks were added.`);
      }
      if (file.type.startsWith('video/')) return playFile(file);
      const look = await lookOf(file);
      if (look) return this.apply(look);
      if (file.type.startsWith('image/')) return playFile(file);
      announce('This file is neither a video, nor a picture, nor a file of looks that was saved here.');
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      announce(`${file.name}: ${error.message}`);
    }
  }

  /** Returns what is set now as a look: what differs from the defaults, and what everybody asks for first. */
  #present(name: string): Look {
    const { desk, model } = this.#options;
    const { prompt, seed, steps, strength } = desk.values.peek();
    const first = { prompt, seed, steps, strength };
    const own = model();
    return {
      name,
      ...(own !== undefined && { model: own }),
      parameters: { ...defined(first), ...desk.changed },
    };
  }
}

type Defined<Values> = { [Name in keyof Values]?: Exclude<Values[Name], undefined> };

function defined<Values extends object>(values: Values): Defined<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<Values>;
}
