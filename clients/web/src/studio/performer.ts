import type { Look } from '@millrace/client';
import { signal } from '@preact/signals';
import { Glide, type Timing } from './glide.js';
import { listenToGamepads } from './inputs/gamepads.js';
import { listenToMicrophone } from './inputs/microphone.js';
import { listenToMidi } from './inputs/midi.js';
import { Routes } from './inputs/routes.js';
import { Mixer } from './mixer.js';
import { morph } from './morph.js';
import type { ParameterDesk } from './parameter-desk.js';
import type { Definitions } from './settings-text.js';
import { Tempo } from './tempo.js';

const pulsePeriodMs = 50;
const mostSeed = 2 ** 32;

interface PerformerOptions {
  readonly desk: ParameterDesk;
  readonly definitions: () => Definitions;
  /** Tells the user something. */
  readonly announce: (text: string) => void;
}

/** What moves parameters while people watch: prompts that fade, looks that morph, a beat, knobs and sound. */
export class Performer {
  readonly tempo = new Tempo();
  readonly mixer: Mixer;
  readonly routes: Routes;
  /** Length of transitions, in `unit`. */
  readonly length = signal(4);
  readonly unit = signal<'seconds' | 'beats'>('seconds');
  /** How far the morph from one look to another is, 0 to 1. */
  readonly morphed = signal(0);
  readonly morphing = new Glide();
  readonly listening = signal(false);
  readonly hasMidi = signal(false);
  readonly #options: PerformerOptions;
  #stopListening: (() => void) | undefined;

  constructor(options: PerformerOptions) {
    const { desk, definitions } = options;
    this.#options = options;
    this.mixer = new Mixer(desk);
    this.routes = new Routes(desk, definitions);
    listenToGamepads((input, value) => this.routes.receive(input, value));
    setInterval(() => {
      this.routes.receive('beat', this.tempo.pulse());
      this.routes.receive('wave', this.tempo.wave());
    }, pulsePeriodMs);
  }

  /** Length of transitions in seconds. */
  get seconds(): number {
    const length = this.length.value;
    return this.unit.value === 'seconds' ? length : (length * 60) / this.tempo.perMinute.value;
  }

  /** When a transition that is started now begins: in beats, at the next one. */
  get timing(): Timing {
    return { delayMs: this.unit.peek() === 'seconds' ? 0 : this.tempo.untilBeat(), seconds: this.seconds };
  }

  /** Shows what is between two looks. @param share 0 for the first, 1 for the second. */
  morph(looks: readonly [Look, Look], share: number): void {
    const { desk, definitions } = this.#options;
    const [from, to] = looks;
    this.morphed.value = share;
    const model = { definitions: definitions(), defaults: desk.defaults.peek() };
    desk.apply(morph([from.parameters, to.parameters], share, model));
  }

  /** Goes to the other one of two looks, in the length of transitions. */
  morphOver(looks: readonly [Look, Look]): void {
    const from = this.morphed.peek();
    this.morphing.start(from, from < 0.5 ? 1 : 0, this.timing, (share) => this.morph(looks, share));
  }

  shuffleSeed(): void {
    this.#options.desk.set('seed', Math.floor(Math.random() * mostSeed), true);
  }

  async connectMidi(): Promise<void> {
    await this.#attempt(async () => {
      await listenToMidi((input, value) => this.routes.receive(input, value));
      this.hasMidi.value = true;
    });
  }

  /** Listens to the microphone, or ends it. */
  async toggleMicrophone(): Promise<void> {
    if (this.#stopListening) {
      this.#stopListening();
      this.#stopListening = undefined;
      this.listening.value = false;
      this.routes.releaseAll();
      return;
    }
    await this.#attempt(async () => {
      this.#stopListening = await listenToMicrophone((input, value) => this.routes.receive(input, value));
      this.listening.value = true;
    });
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.announce(error instanceof Error ? error.message : String(error));
    }
  }
}
