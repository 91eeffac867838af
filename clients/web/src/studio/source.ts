import { streamImage } from './image-source.js';

/** What users choose from; a file is a video or an image. */
export const sourceKinds = ['clip', 'camera', 'screen', 'tab', 'file'] as const;
/** With `words` there is no video: the model paints from noise. */
export type SourceKind = (typeof sourceKinds)[number] | 'image' | 'words';

/** A camera of this device. */
interface Camera {
  readonly id: string;
  readonly name: string;
}

/** A source of video; it plays in the video element that it was opened with. */
export interface Source {
  readonly kind: SourceKind;
  /** Whether it is shown mirrored, as users expect of a front camera. */
  readonly mirror: boolean;
  /** Device id of the camera. */
  readonly camera?: string | undefined;
  /** All cameras. */
  readonly cameras?: readonly Camera[];
  /** Calls `listener` when the source ends, for example when screen sharing is stopped in the browser. */
  onEnded(listener: () => void): void;
  /** Frees the camera, the screen or the file. */
  close(): void;
}

/** A source could not be opened. The message is for the user. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

export type WantedSource =
  'clip' | 'camera' | 'screen' | 'tab' | 'words' | File | { readonly camera: string };

/** Returns the kind of a requested source. */
export function kindOf(wanted: WantedSource): SourceKind {
  if (wanted instanceof File) return isImage(wanted) ? 'image' : 'file';
  return typeof wanted === 'string' ? wanted : 'camera';
}

/** Returns the parameters of a stream of this source besides those that the user sets. */
export function modeFor(source: Source | undefined): { readonly mode?: 'txt2img' } {
  return source?.kind === 'words' ? { mode: 'txt2img' } : {};
}

/**
 * Opens a source and plays it in `video`.
 * @param signal cancels it; the source that is playing then keeps playing.
 * @throws {SourceError} (as rejection), or the reason of `signal`.
 */
export async function openSource(
  wanted: WantedSource,
  video: HTMLVideoElement,
  signal: AbortSignal,
): Promise<Source> {
  if (wanted instanceof File && isImage(wanted)) return playImage(wanted, video, signal);
  if (wanted instanceof File) {
    const address = URL.createObjectURL(wanted);
    await assertPlayable(address);
    if (signal.aborted) URL.revokeObjectURL(address);
    signal.throwIfAborted();
    return playAddress('file', address, video);
  }
  if (wanted === 'words') return showNothing(video);
  if (wanted === 'clip') {
    return playAddress('clip', video.canPlayType(h264) === '' ? 'clip.webm' : 'clip.mp4', video);
  }
  const media = await requestMedia(wanted);
  if (signal.aborted) stopMedia(media);
  signal.throwIfAborted();
  return playMedia(typeof wanted === 'string' ? wanted : 'camera', media, video);
}

function showNothing(video: HTMLVideoElement): Source {
  video.srcObject = null;
  video.removeAttribute('src');
  video.load();
  return { kind: 'words', mirror: false, onEnded: () => {}, close: () => {} };
}

function isImage({ type }: File): boolean {
  return type.startsWith('image/');
}

async function playImage(file: File, video: HTMLVideoElement, signal: AbortSignal): Promise<Source> {
  const image = await streamImage(file).catch((cause: unknown) => {
    throw new SourceError('This browser cannot show that image. Try a JPEG, PNG or WebP file.', { cause });
  });
  if (signal.aborted) image.stop();
  signal.throwIfAborted();
  const source = await playMedia('image', image.media, video);
  return {
    ...source,
    close() {
      source.close();
      image.stop();
    },
  };
}

const h264 = 'video/mp4; codecs="avc1.64001e"';

const cameraConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

async function playAddress(kind: 'clip' | 'file', address: string, video: HTMLVideoElement): Promise<Source> {
  const close = (): void => {
    if (video.getAttribute('src') === address) {
      video.removeAttribute('src');
      video.load();
    }
    URL.revokeObjectURL(address);
  };
  try {
    video.srcObject = null;
    video.src = address;
    video.loop = true;
    await video.play();
  } catch (cause) {
    close();
    throw new SourceError(unplayable, { cause });
  }
  return { kind, mirror: false, onEnded: () => {}, close };
}

const unplayable = 'This browser cannot play that video. Try an MP4 (H.264) or WebM file.';

/** Tests a file in a separate element, so that an unplayable one does not interrupt the video that is playing. */
async function assertPlayable(address: string): Promise<void> {
  const probe = document.createElement('video');
  probe.muted = true;
  probe.preload = 'auto';
  const playable = await new Promise<boolean>((resolve) => {
    probe.addEventListener('loadeddata', () => resolve(probe.videoWidth > 0));
    probe.addEventListener('error', () => resolve(false));
    probe.src = address;
  });
  probe.removeAttribute('src');
  probe.load();
  if (playable) return;
  URL.revokeObjectURL(address);
  throw new SourceError(unplayable);
}

async function playMedia(
  kind: 'camera' | 'screen' | 'tab' | 'image',
  media: MediaStream,
  video: HTMLVideoElement,
): Promise<Source> {
  const close = (): void => {
    stopMedia(media);
    if (video.srcObject === media) video.srcObject = null;
  };
  try {
    video.removeAttribute('src');
    video.srcObject = media;
    await video.play();
  } catch (cause) {
    close();
    throw new SourceError('The video did not start. Try again, or play the clip.', { cause });
  }
  const [track] = media.getVideoTracks();
  const { deviceId, facingMode } = track?.getSettings() ?? {};
  return {
    kind,
    mirror: kind === 'camera' && facingMode !== 'environment',
    ...(kind === 'camera' && { camera: deviceId, cameras: await listCameras() }),
    onEnded: (listener) => track?.addEventListener('ended', listener),
    close,
  };
}

function stopMedia(media: MediaStream): void {
  for (const track of media.getTracks()) track.stop();
}

/** Returns all cameras; browsers name them once one of them is open. */
async function listCameras(): Promise<readonly Camera[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind }) => kind === 'videoinput')
    .map(({ deviceId, label }, index) => ({
      id: deviceId,
      name: label === '' ? `Camera ${index + 1}` : label,
    }));
}

async function requestMedia(
  wanted: 'camera' | DisplayKind | { readonly camera: string },
): Promise<MediaStream> {
  const kind = typeof wanted === 'string' ? wanted : 'camera';
  // Browsers hide mediaDevices from pages that were loaded over plain HTTP from another machine.
  if (!('mediaDevices' in navigator)) {
    throw new SourceError(
      `A ${kind} needs a secure page (https, or localhost). Play the clip or open a video file instead.`,
    );
  }
  if (kind !== 'camera' && !('getDisplayMedia' in navigator.mediaDevices)) {
    throw new SourceError('This device cannot share its screen. Use its camera or the clip instead.');
  }
  try {
    if (wanted === 'screen' || wanted === 'tab') {
      const displaySurface = wanted === 'tab' ? 'browser' : 'monitor';
      return await navigator.mediaDevices.getDisplayMedia({ video: { displaySurface } });
    }
    const which = wanted === 'camera' ? { facingMode: 'user' } : { deviceId: { exact: wanted.camera } };
    return await navigator.mediaDevices.getUserMedia({ video: { ...cameraConstraints, ...which } });
  } catch (cause) {
    throw new SourceError(refusal(kind, cause instanceof Error ? cause.name : ''), { cause });
  }
}

/** What users share of what is on their screens. */
type DisplayKind = 'screen' | 'tab';

function refusal(kind: 'camera' | DisplayKind, name: string): string {
  if (kind !== 'camera') return `No ${kind} was shared. Choose one to try again.`;
  switch (name) {
    case 'NotAllowedError':
      return 'The camera is blocked. Allow it with the camera icon in the address bar and try again, or play the clip.';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'No camera was found. Connect one and try again, or play the clip.';
    case 'NotReadableError':
      return 'The camera is in use by another application. Close it and try again, or play the clip.';
    default:
      return 'The camera did not start. Try again, or play the clip.';
  }
}
