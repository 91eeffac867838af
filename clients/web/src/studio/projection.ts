import { computed, signal } from '@preact/signals';

/** How the output is shown: with nothing beside it, over the input, and on other screens. */
export class Projection {
  /** Whether nothing but the output is shown, without even a pointer. */
  readonly bare = signal(false);
  /** Whether the output fills the window, cropped; otherwise all of it is visible. */
  readonly filled = signal(false);
  /** Whether input and output share one place, divided by a line. */
  readonly wiped = signal(false);
  /** Where that line is, from 0 (all output) to 1 (all input). */
  readonly line = signal(0.5);
  readonly #canvas = signal<HTMLCanvasElement>();
  /** Whether this browser can show the output in a window of its own, or in a small one above all others. */
  readonly canCapture = computed(
    () => this.#canvas.value !== undefined && 'captureStream' in this.#canvas.value,
  );
  readonly canFloat = computed(() => this.canCapture.value && document.pictureInPictureEnabled);
  #media: MediaStream | undefined;

  /** Shows what is drawn on this canvas. */
  begin(canvas: HTMLCanvasElement): void {
    this.#canvas.value = canvas;
    document.addEventListener('fullscreenchange', () => {
      this.bare.value = document.fullscreenElement !== null;
    });
  }

  /** Shows the output alone on the whole screen, or ends that. */
  async toggleFullScreen(): Promise<void> {
    if (document.fullscreenElement !== null) return document.exitFullscreen();
    try {
      await document.documentElement.requestFullscreen();
    } catch {
      // Phones allow it for videos only: the window is the most that the output can fill.
      this.bare.value = true;
    }
  }

  /** Returns to the page with its controls. */
  leave(): void {
    this.bare.value = false;
    if (document.fullscreenElement !== null) void document.exitFullscreen();
  }

  /** Shows the output in a second window, for another screen. @returns whether the browser opened it. */
  openWindow(): boolean {
    const other = window.open('', 'millrace-output', 'popup,width=900,height=900');
    const media = this.#capture();
    if (other === null || media === undefined) return false;
    const { document: page } = other;
    page.title = 'Millrace: output';
    Object.assign(page.body.style, { margin: '0', background: '#000' });
    const video = asVideo(page.createElement('video'), media);
    Object.assign(video.style, { position: 'fixed', inset: '0', width: '100%', height: '100%' });
    const fill = (): void =>
      void (page.fullscreenElement === null ? video.requestFullscreen() : page.exitFullscreen());
    page.addEventListener('dblclick', fill);
    page.addEventListener('keydown', ({ key }) => {
      if (key === 'f') fill();
    });
    page.body.replaceChildren(video);
    void video.play();
    addEventListener('pagehide', () => other.close());
    return true;
  }

  /** Shows the output in a small window above all others, or ends that. @returns whether the browser did it. */
  async toggleFloat(): Promise<boolean> {
    const media = this.#capture();
    if (media === undefined) return false;
    try {
      if (document.pictureInPictureElement !== null) await document.exitPictureInPicture();
      else await float(asVideo(document.createElement('video'), media));
      return true;
    } catch {
      return false;
    }
  }

  #capture(): MediaStream | undefined {
    this.#media ??= this.#canvas.peek()?.captureStream();
    return this.#media;
  }
}

async function float(video: HTMLVideoElement): Promise<void> {
  await video.play();
  await video.requestPictureInPicture();
}

function asVideo(video: HTMLVideoElement, media: MediaStream): HTMLVideoElement {
  video.muted = true;
  video.playsInline = true;
  video.srcObject = media;
  return video;
}
