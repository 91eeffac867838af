import { signal } from '@preact/signals';

/** Speeds to choose from. */
export const speeds = [0.25, 0.5, 1, 1.5, 2] as const;

/** Controls how a video plays. */
export class Playback {
  readonly paused = signal(false);
  /** Seconds. */
  readonly time = signal(0);
  /** Seconds; 0 before it is known. */
  readonly duration = signal(0);
  readonly speed = signal(1);
  readonly loops = signal(true);
  #video: HTMLVideoElement | undefined;

  /** Controls what plays in this element from now on. */
  begin(video: HTMLVideoElement): void {
    this.#video = video;
    const read = (): void => {
      this.paused.value = video.paused;
      this.time.value = video.currentTime;
      this.duration.value = Number.isFinite(video.duration) ? video.duration : 0;
    };
    for (const event of ['timeupdate', 'seeked', 'play', 'pause', 'durationchange'] as const) {
      video.addEventListener(event, read);
    }
    // Another file resets the element.
    video.addEventListener('loadedmetadata', () => this.#apply());
  }

  /** Pauses the video, or lets it go on. */
  turn(): void {
    const video = this.#video;
    // Without a source there is nothing to play.
    if (video?.paused === true) video.play().catch(() => {});
    else video?.pause();
  }

  /** @param time seconds. */
  seek(time: number): void {
    if (this.#video !== undefined) this.#video.currentTime = time;
  }

  chooseSpeed(speed: number): void {
    this.speed.value = speed;
    this.#apply();
  }

  repeat(loops: boolean): void {
    this.loops.value = loops;
    this.#apply();
  }

  #apply(): void {
    if (this.#video === undefined) return;
    this.#video.playbackRate = this.speed.peek();
    this.#video.loop = this.loops.peek();
  }
}
