export const sourceKinds = ['clip', 'camera', 'screen', 'file'] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** A source of video; it plays in the video element that it was opened with. */
export interface Source {
  readonly kind: SourceKind;
  /** Whether it is shown mirrored, as users expect of a front camera. */
  readonly mirror: boolean;
  /** Device id of the next camera, if there are several. */
  readonly nextCamera?: string | undefined;
  /** Calls `listener` when the source ends, for example when screen sharing is stopped in the browser. */
  onEnded(listener: () => void): void;
  /** Frees the camera, the screen or the file. */
  close(): void;
}

/** A source could not be opened. The message is for the user. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

export type WantedSource = 'clip' | 'camera' | 'screen' | File | { readonly camera: string };

/** Returns the kind of a requested source. */
export function kindOf(wanted: WantedSource): SourceKind {
  if (wanted instanceof File) return 'file';
  return typeof wanted === 'string' ? wanted : 'camera';
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
  if (wanted instanceof File) {
    const address = URL.createObjectURL(wanted);
    await assertPlayable(address);
    if (signal.aborted) URL.revokeObjectURL(address);
    signal.throwIfAborted();
    return playAddress('file', address, video);
  }
  if (wanted === 'clip') {
    return playAddress('clip', video.canPlayType(h264) === '' ? 'clip.webm' : 'clip.mp4', video);
  }
  const kind = wanted === 'screen' ? 'screen' : 'camera';
  const media = await requestMedia(wanted);
  if (signal.aborted) stopMedia(media);
  signal.throwIfAborted();
  return playMedia(kind, media, video);
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
  kind: 'camera' | 'screen',
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
    nextCamera: kind === 'camera' ? await cameraAfter(deviceId) : undefined,
    onEnded: (listener) => track?.addEventListener('ended', listener),
    close,
  };
}

function stopMedia(media: MediaStream): void {
  for (const track of media.getTracks()) track.stop();
}

async function cameraAfter(deviceId: string | undefined): Promise<string | undefined> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const cameras = devices.flatMap((device) => (device.kind === 'videoinput' ? [device.deviceId] : []));
  if (deviceId === undefined || cameras.length < 2) return undefined;
  return cameras[(cameras.indexOf(deviceId) + 1) % cameras.length];
}

async function requestMedia(wanted: 'camera' | 'screen' | { readonly camera: string }): Promise<MediaStream> {
  const kind = wanted === 'screen' ? 'screen' : 'camera';
  // Browsers hide mediaDevices from pages that were loaded over plain HTTP from another machine.
  if (!('mediaDevices' in navigator)) {
    throw new SourceError(
      `A ${kind} needs a secure page (https, or localhost). Play the clip or open a video file instead.`,
    );
  }
  if (kind === 'screen' && !('getDisplayMedia' in navigator.mediaDevices)) {
    throw new SourceError('This device cannot share its screen. Use its camera or the clip instead.');
  }
  try {
    if (wanted === 'screen') return await navigator.mediaDevices.getDisplayMedia({ video: true });
    const which = wanted === 'camera' ? { facingMode: 'user' } : { deviceId: { exact: wanted.camera } };
    return await navigator.mediaDevices.getUserMedia({ video: { ...cameraConstraints, ...which } });
  } catch (cause) {
    throw new SourceError(refusal(kind, cause instanceof Error ? cause.name : ''), { cause });
  }
}

function refusal(kind: 'camera' | 'screen', name: string): string {
  if (kind === 'screen') return 'No screen was shared. Choose a window or a screen to try again.';
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
