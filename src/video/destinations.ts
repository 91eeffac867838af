import { containerOf, type Container } from './containers.js';
import { fileArgument, type Ffmpeg, VideoError } from './ffmpeg.js';
import { withoutSecrets } from './secrets.js';
import { bt709, inBt709, type VideoEncoding } from './video-encoding.js';

/** Where ffmpeg writes a video, and how it is encoded for it. */
export interface Destination extends VideoEncoding, Pick<Container, 'holdsLast'> {
  /** The last arguments of ffmpeg: the format and the place. */
  readonly target: readonly string[];
}

/** A file, by the extension of its name. @param crf quality, lower is better; null for the usual one. */
export function fileDestination(path: string, crf: number | null, ffmpeg: Ffmpeg): Destination {
  const { video, holdsLast } = containerOf(path);
  return { ...video(crf, ffmpeg), target: ['-y', fileArgument(path)], holdsLast };
}

/** H.264 without delay, and with a picture that can be shown alone every two seconds, for those who tune in. */
const liveH264 = (crf: number | null): VideoEncoding =>
  inBt709(
    `-c:v:0 libx264 -preset:v:0 veryfast -tune:v:0 zerolatency -crf:v:0 ${crf ?? 23} ` +
      '-force_key_frames:v:0 expr:gte(t,n_forced*2)',
  );

const plain = (codec: string, filter: string, options: readonly string[] = []): VideoEncoding => ({
  options: ['-c:v:0', codec, ...options],
  filter,
  note: null,
});

/** The formats of standard output, by their names in ffmpeg: those that never go back in the file. */
const pipeFormats: Readonly<Record<string, (crf: number | null) => VideoEncoding>> = {
  matroska: liveH264,
  mpegts: liveH264,
  mp4: (crf) => {
    const encoding = liveH264(crf);
    return { ...encoding, options: [...encoding.options, '-movflags', 'frag_keyframe+empty_moov'] };
  },
  nut: () => plain('rawvideo', 'format=rgb24'),
  yuv4mpegpipe: () => plain('rawvideo', bt709),
  mjpeg: () => plain('mjpeg', 'scale=out_range=pc,format=yuvj420p', ['-q:v:0', '3']),
};

/** Names of the formats of standard output that ffmpeg writes. */
export const pipeFormatNames: readonly string[] = Object.keys(pipeFormats);

/** Standard output. @param format one of `pipeFormatNames`. */
export function pipeDestination(format: string, crf: number | null): Destination {
  const encoding = pipeFormats[format];
  if (!encoding) throw new Error(`no format is known as ${format}`);
  return { ...encoding(crf), target: ['-f', format, 'pipe:1'], holdsLast: 'no' };
}

/** How videos are sent, by the scheme of the address. */
const networkFormats: Readonly<Record<string, readonly string[]>> = {
  'rtmp:': ['-f', 'flv'],
  'rtmps:': ['-f', 'flv'],
  'rtsp:': ['-f', 'rtsp', '-rtsp_transport', 'tcp'],
  'srt:': ['-f', 'mpegts'],
  'udp:': ['-f', 'mpegts'],
  'tcp:': ['-f', 'mpegts'],
};

/** An address in the network. @throws {VideoError} if nothing can be sent to such addresses. */
export function networkDestination(url: string, crf: number | null): Destination {
  const name = withoutSecrets(url);
  if (!URL.canParse(url)) throw new VideoError(`nothing can be sent to ${name}: it is not an address`);
  const format = networkFormats[new URL(url).protocol];
  if (!format) {
    const known = Object.keys(networkFormats).map((scheme) => `${scheme}//`);
    throw new VideoError(
      `nothing can be sent to ${name}: addresses of outputs begin with ${known.join(', ')}`,
    );
  }
  return { ...liveH264(crf), target: [...format, url], holdsLast: 'no' };
}

/** A video device of Linux that other programs see as a camera (v4l2loopback). */
export function deviceDestination(path: string): Destination {
  return { ...plain('rawvideo', bt709), target: ['-f', 'v4l2', path], holdsLast: 'no' };
}
