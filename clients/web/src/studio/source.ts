export const sourceKinds = ['clip', 'camera', 'screen', 'file'] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** Where the video comes from; it plays in the video element that it was opened with. */
export interface Source {
  readonly kind: SourceKind;
  /** Whether people expect to see it as in a mirror. */
  readonly mirror: boolean;
  /** Calls `listener` when it ends by itself, as when screen sharing is stopped in the browser. */
  onEnded(listener: () => void): void;
  /** Frees the camera, the screen or the file. */
  close(): void;
}

/** Why a source could not be opened, in words for the person in front of it. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/**
 * Opens a source and plays it in `video`.
 * @throws {SourceError} (as rejection)
 */
export async function openSource(
  kind: Exclude<SourceKind, 'file'> | File,
  video: HTMLVideoElement,
): Promise<Source> {
  if (kind instanceof File) return playAddress('file', URL.createObjectURL(kind), video);
  switch (kind) {
    case 'clip':
      return playAddress('clip', video.canPlayType(h264) === '' ? '/clip.webm' : '/clip.mp4', video);
    case 'camera':
      return playMedia('camera', () => navigator.mediaDevices.getUserMedia(cameraWish), video);
    case 'screen':
      return playMedia('screen', () => navigator.mediaDevices.getDisplayMedia({ video: true }), video);
  }
}

const h264 = 'video/mp4; codecs="avc1.64001e"';

const cameraWish = {
  audio: false,
  video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

async function playAddress(kind: 'clip' | 'file', address: string, video: HTMLVideoElement): Promise<Source> {
  const close = (): void => {
    if (video.getAttribute('src') === address) {
      video.removeAttribute('src');
      video.load();
    }
    if (address.startsWith('blob:')) URL.revokeObjectURL(address);
  };
  try {
    if (kind === 'file') await assertPlayable(address);
    video.srcObject = null;
    video.src = address;
    video.loop = true;
    await video.play();
  } catch (cause) {
    close();
    throw new SourceError('This browser cannot play that video. Try an MP4 (H.264) or WebM file.', { cause });
  }
  return { kind, mirror: false, onEnded: () => {}, close };
}

/** Tries a video apart, so that one that cannot be played leaves the one that plays as it is. */
async function assertPlayable(address: string): Promise<void> {
  const probe = document.createElement('video');
  probe.muted = true;
  probe.preload = 'auto';
  await new Promise<void>((resolve, reject) => {
    probe.addEventListener('loadeddata', () => {
      if (probe.videoWidth > 0) resolve();
      else reject(new Error('no picture'));
    });
    probe.addEventListener('error', () => reject(new Error(probe.error?.message)));
    probe.src = address;
  });
  probe.removeAttribute('src');
  probe.load();
}

async function playMedia(
  kind: 'camera' | 'screen',
  request: () => Promise<MediaStream>,
  video: HTMLVideoElement,
): Promise<Source> {
  const media = await requestMedia(kind, request);
  const [track] = media.getVideoTracks();
  const close = (): void => {
    for (const each of media.getTracks()) each.stop();
    if (video.srcObject === media) video.srcObject = null;
  };
  video.removeAttribute('src');
  video.srcObject = media;
  try {
    await video.play();
  } catch (cause) {
    close();
    throw new SourceError('The video does not start. Try again, or play the clip.', { cause });
  }
  return {
    kind,
    mirror: kind === 'camera' && track?.getSettings().facingMode !== 'environment',
    onEnded: (listener) => track?.addEventListener('ended', listener),
    close,
  };
}

async function requestMedia(
  kind: 'camera' | 'screen',
  request: () => Promise<MediaStream>,
): Promise<MediaStream> {
  // Browsers hide mediaDevices from pages that came over plain HTTP from another machine.
  if (!('mediaDevices' in navigator)) {
    throw new SourceError(
      `A ${kind} needs a secure page (https, or localhost). Play the clip or open a video file instead.`,
    );
  }
  if (kind === 'screen' && !('getDisplayMedia' in navigator.mediaDevices)) {
    throw new SourceError('This device cannot share its screen. Use its camera or the clip instead.');
  }
  try {
    return await request();
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
      return 'The camera is busy in another application. Close that one and try again, or play the clip.';
    default:
      return 'The camera does not start. Try again, or play the clip.';
  }
}
