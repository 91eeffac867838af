import { extname } from 'node:path';
import { ffmpegAdvice, type Ffmpeg } from './ffmpeg.js';
import { inBt709, type VideoEncoding } from './video-encoding.js';

/** How a track is written to a file: copied or encoded; the options depend on its place in the file. */
export interface Handling {
  readonly encoder: string | null;
  readonly options: (place: number) => readonly string[];
}

/** The capabilities of a container format. */
export interface Container {
  /** Returns how the picture is encoded; null means the default quality. */
  readonly video: (crf: number | null, ffmpeg: Ffmpeg) => VideoEncoding;
  /** Whether the last frame can have a duration of its own, if the container has no frames out of order. */
  readonly holdsLast: 'yes' | 'without B-frames' | 'no';
  /** Codecs that are copied: players support them in such files. */
  readonly keeps: Readonly<Record<'audio' | 'subtitle' | 'data' | 'attachment', RegExp>>;
  /** Encoders for other codecs, the best first. */
  readonly audio: (ffmpeg: Ffmpeg) => readonly string[];
  /** The encoder of subtitles; null if there can be none. */
  readonly subtitle: string | null;
}

const h264 = (crf: number | null): VideoEncoding =>
  inBt709(`-c:v:0 libx264 -preset:v:0 veryfast -crf:v:0 ${crf ?? 18}`);

/** The packaged ffmpeg crashes as soon as it predicts a VP9 picture from another (ffmpeg.wasm, issue 679). */
const vp9OrVp8 = (crf: number | null, { isPackaged, label }: Ffmpeg): VideoEncoding =>
  isPackaged
    ? inBt709(
        `-c:v:0 libvpx -crf:v:0 ${Math.max(4, crf ?? 10)} -b:v:0 50M -deadline:v:0 realtime`,
        `the picture is VP8, not VP9, which ${label} cannot encode; ${ffmpegAdvice}`,
      )
    : inBt709(`-c:v:0 libvpx-vp9 -crf:v:0 ${crf ?? 30} -b:v:0 0 -deadline:v:0 realtime -cpu-used:v:0 6`);

/** Each picture has a palette of its own: one for all would need all pictures in memory. */
const gif: VideoEncoding = {
  options: ['-c:v:0', 'gif', '-loop', '0'],
  filter: 'split[all][some];[some]palettegen=stats_mode=single[palette];[all][palette]paletteuse=new=1',
  note: null,
};

const nothing = /^(?!)/;

const mp4: Container = {
  video: h264,
  holdsLast: 'without B-frames',
  keeps: {
    audio: /^(?:aac|mp3|ac3|eac3|alac)$/,
    subtitle: /^mov_text$/,
    data: /^bin_data$/,
    attachment: nothing,
  },
  audio: () => ['aac'],
  subtitle: 'mov_text',
};

const containers: Readonly<Record<string, Container>> = {
  '.mp4': mp4,
  '.m4v': mp4,
  '.mov': { ...mp4, keeps: { ...mp4.keeps, audio: /^(?:aac|mp3|ac3|eac3|alac|pcm_\w+|adpcm_\w+)$/ } },
  '.mkv': {
    // Without B-frames: the sound of an MP4 starts slightly before 0, and old versions of ffmpeg then shift everything
    // except the frames that were reordered ahead of it.
    video: (crf) => ({ ...h264(crf), options: [...h264(crf).options, '-bf:v:0', '0'] }),
    holdsLast: 'without B-frames',
    keeps: {
      audio:
        /^(?:aac|mp[123]|ac3|eac3|dts|truehd|mlp|flac|opus|vorbis|alac|wavpack|tta|pcm_[sfu]\d+(?:[lb]e)?)$/,
      subtitle: /^(?:subrip|ass|ssa|webvtt|dvd_subtitle|hdmv_pgs_subtitle|dvb_subtitle|hdmv_text_subtitle)$/,
      data: nothing,
      attachment: /./,
    },
    audio: () => ['aac'],
    subtitle: 'subrip',
  },
  '.webm': {
    video: vp9OrVp8,
    holdsLast: 'yes',
    keeps: { audio: /^(?:opus|vorbis)$/, subtitle: /^webvtt$/, data: nothing, attachment: nothing },
    // In the packaged ffmpeg libopus crashes with two channels.
    audio: ({ isPackaged }) => (isPackaged ? ['libvorbis'] : ['libopus', 'libvorbis']),
    subtitle: 'webvtt',
  },
  '.gif': {
    video: () => gif,
    holdsLast: 'no',
    keeps: { audio: nothing, subtitle: nothing, data: nothing, attachment: nothing },
    audio: () => [],
    subtitle: null,
  },
};

/** Extensions of the video files that can be written. */
export const videoExtensions: readonly string[] = Object.keys(containers);

/** Returns the container format for a file name. */
export function containerOf(path: string): Container {
  const container = containers[extname(path).toLowerCase()];
  if (!container) throw new Error(`no container is known for ${path}`);
  return container;
}

const encode = (encoder: string, more: (place: number) => readonly string[] = () => []): Handling => ({
  encoder,
  options: (place) => [`-c:${place}`, encoder, ...more(place)],
});

/** Returns the ways to write a track to a container, the best first; none if it cannot hold the track. */
export function handlingsOf(
  container: Container,
  ffmpeg: Ffmpeg,
  { type, codec }: { readonly type: string; readonly codec: string },
): readonly Handling[] {
  // Attachments are files of any kind.
  if (type === 'video' || (codec === 'none' && type !== 'attachment')) return [];
  const copy: Handling = { encoder: null, options: (place) => [`-c:${place}`, 'copy'] };
  const kept = type in container.keeps && container.keeps[type as keyof Container['keeps']].test(codec);
  const encoded = {
    audio: () => container.audio(ffmpeg).flatMap(audioEncodings),
    subtitle: () => (container.subtitle === null ? [] : [encode(container.subtitle)]),
  };
  return [...(kept ? [copy] : []), ...(type === 'audio' || type === 'subtitle' ? encoded[type]() : [])];
}

/** If the encoder refuses a channel layout, the nearest common one is tried, and then two channels. */
function audioEncodings(encoder: string): Handling[] {
  const layouts = 'aformat=channel_layouts=mono|stereo|5.1|7.1';
  return [
    encode(encoder),
    encode(encoder, (place) => [`-filter:${place}`, layouts]),
    encode(encoder, (place) => [`-ac:${place}`, '2']),
  ];
}
