import { signal } from '@preact/signals';

/** The first that the browser can write is used: MP4 plays everywhere. */
const formats = [
  ['video/mp4;codecs=avc1.640028,mp4a.40.2', 'mp4'],
  ['video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'mp4'],
  ['video/webm;codecs=vp9,opus', 'webm'],
  ['video/webm;codecs=vp8,opus', 'webm'],
  ['video/webm', 'webm'],
] as const;

const bitsPerSecond = 8_000_000;

export interface Recording {
  readonly file: Blob;
  readonly extension: 'mp4' | 'webm';
}

/** Records what is drawn on a canvas as a video file, without the server. */
export class Recorder {
  /** Seconds since the start; undefined while nothing is recorded. */
  readonly seconds = signal<number>();
  #stop: (() => Promise<Recording>) | undefined;
  #starting = false;

  /**
   * Starts to record.
   * @param microphone whether to record its sound.
   * @throws {Error} (as rejection) for the user, if the browser cannot record, or does not give the microphone.
   */
  async start(canvas: HTMLCanvasElement, microphone: boolean): Promise<void> {
    if (this.#stop || this.#starting) return;
    const format = formats.find(
      ([type]) => 'MediaRecorder' in globalThis && MediaRecorder.isTypeSupported(type),
    );
    if (!format) throw new Error('This browser cannot record video.');
    this.#starting = true;
    try {
      const sound = microphone ? await openMicrophone() : undefined;
      this.#stop = this.#record(canvas, sound, format);
    } finally {
      this.#starting = false;
    }
  }

  /** Ends the recording. @returns its file; undefined if there is none. */
  async stop(): Promise<Recording | undefined> {
    const stop = this.#stop;
    this.#stop = undefined;
    return stop?.();
  }

  #record(
    canvas: HTMLCanvasElement,
    sound: MediaStream | undefined,
    [mimeType, extension]: (typeof formats)[number],
  ): () => Promise<Recording> {
    const media = canvas.captureStream();
    for (const track of sound?.getTracks() ?? []) media.addTrack(track);
    const recorder = new MediaRecorder(media, { mimeType, videoBitsPerSecond: bitsPerSecond });
    const parts: Blob[] = [];
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    const startedAt = performance.now();
    this.seconds.value = 0;
    const timer = setInterval(() => (this.seconds.value = (performance.now() - startedAt) / 1000), 250);
    // Parts of a second: a crash of the tab's encoder loses no more.
    recorder.start(1000);
    return () =>
      new Promise((resolve) => {
        recorder.addEventListener('stop', () => {
          clearInterval(timer);
          this.seconds.value = undefined;
          for (const track of media.getTracks()) track.stop();
          resolve({ file: new Blob(parts, { type: recorder.mimeType }), extension });
        });
        recorder.stop();
      });
  }
}

/** @throws {Error} (as rejection) for the user. */
export async function openMicrophone(): Promise<MediaStream> {
  if (!('mediaDevices' in navigator))
    throw new Error('A microphone needs a secure page (https, or localhost).');
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (cause) {
    throw new Error('The microphone is blocked or missing. Allow it beside the address, and try again.', {
      cause,
    });
  }
}
