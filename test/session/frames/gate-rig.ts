import assert from 'node:assert/strict';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { FrameGate, type WaitingFrames } from '../../../src/session/frames/frame-gate.js';
import type { Pause } from '../../../src/session/time/pause-watch.js';

const unacknowledged = 2;

/** A gate with something waiting on both sides, and ways to close and open it. */
export class GateRig implements WaitingFrames {
  readonly pass: (ms: number) => void;
  readonly pauses: { last: Pause } = { last: { end: -Infinity, ms: 0 } };
  readonly feed: { running: boolean; parameters: StreamParameters } = {
    running: true,
    parameters: defaultParameters(),
  };
  readonly gate = new FrameGate({ feed: this.feed, pauses: this.pauses, unacknowledged });
  waitingSince: number | null = null;
  /** Whether the gate was open when each side was poked last. */
  entered = false;
  left = false;
  /** How often each side was poked, and the waiting result dropped. */
  readonly counts = { frames: 0, results: 0, cleared: 0 };
  sent = 0;

  constructor(pass: (ms: number) => void) {
    this.pass = pass;
    this.gate.connectSides(this, {
      poke: () => {
        this.counts.results += 1;
        this.left = this.gate.maySend;
      },
      clear: () => {
        this.counts.cleared += 1;
        // Nothing waits that would have to be poked.
        this.left = true;
      },
    });
    this.gate.connect();
  }

  /** Forgets how the gate was at the last poke. */
  forget(): void {
    this.entered = false;
    this.left = false;
  }

  poke(): void {
    this.counts.frames += 1;
    this.entered = this.gate.tryEnter();
  }

  /** Whether a frame may enter, and a result may leave. */
  get open(): readonly [boolean, boolean] {
    return [this.gate.tryEnter(), this.gate.maySend];
  }

  pauseStream(): void {
    this.feed.running = false;
  }

  /** Continues the stream, and pokes as after every change of parameters. */
  continueStream(): void {
    this.feed.running = true;
    this.gate.poke();
  }

  send(): void {
    const { window } = this.gate;
    if (!window?.open) return;
    window.reserve();
    this.sent = this.gate.resultSent(window, performance.now());
  }

  fill(): void {
    while (this.gate.window?.open) this.send();
  }

  acknowledge(): void {
    assert.equal(this.gate.acknowledge(this.sent), true);
  }

  /** A frame arrives, and waits from then on. @param lagMs since its capture; null if unknown. */
  arrive(lagMs: number | null): void {
    this.gate.frameArrived(lagMs);
    this.poke();
  }

  /** Frames arrive of which the last is late, so that all wait for a newer one. */
  stall(): void {
    this.arrive(0);
    this.arrive(10_000);
  }

  /** Work on a frame begins, and ends at once. */
  begin(): void {
    this.gate.frameBegun();
    this.poke();
  }
}
