import { type Ffmpeg, ffmpegAdvice, VideoError } from './ffmpeg.js';
import type { VideoSource } from './read.js';
import { withoutSecrets } from './secrets.js';
import type { Rational } from './timing.js';

/** How a stream is opened, as far as it does not say so itself. */
export interface StreamForm {
  /** ffmpeg's name of the format, for raw video with its pixels, as in `rawvideo:yuv420p`; null if it shows. */
  readonly format: string | null;
  /** Width and height as `640x480`, of raw video, or asked of a camera. */
  readonly size: string | null;
  /** Frames a second of raw video, or asked of a camera. */
  readonly rate: Rational | null;
}

/** Finer than the frames of any camera, and exact for most rates. */
const ticks: Rational = { numerator: 1, denominator: 90_000 };

/** Returns whether text is an address in the network, such as rtsp://camera/1. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(text);
}

/**
 * @throws {VideoError} if this is the packaged ffmpeg, which has neither network nor devices.
 * @param use what it is needed for, as in `rtsp://camera/1 cannot be opened`.
 */
export function needSystemFfmpeg({ isPackaged, label }: Ffmpeg, use: string): void {
  if (isPackaged) throw new VideoError(`${use}: ${label} has neither network nor devices; ${ffmpegAdvice}`);
}

/** Returns ffmpeg's input options for a file or pipe whose format does not show. */
export function formatOptions({ format, size, rate }: StreamForm): readonly string[] {
  if (format === null) return [];
  const [name = format, pixels = 'rgb24'] = format.split(':');
  if (name !== 'rawvideo') return ['-f', name];
  return ['-f', name, '-pixel_format', pixels, '-framerate', fraction(rate), '-video_size', size ?? ''];
}

/** Standard input: a container, or raw video if the form says so. */
export function pipedSource(form: StreamForm, isLive: boolean): VideoSource {
  return { ...source('standard input', 'pipe:0', formatOptions(form)), isPiped: true, isLive };
}

/** An address in the network. */
export function networkSource(url: string, { format }: StreamForm, isLive: boolean): VideoSource {
  const transport = /^rtsps?:/i.test(url) ? ['-rtsp_transport', 'tcp'] : [];
  const name = format === null ? [] : ['-f', format];
  return { ...source(withoutSecrets(url), url, [...transport, ...name]), isLive };
}

/** A camera, or something else that ffmpeg reads by the name of its format (lavfi, x11grab, avfoundation). */
export function deviceSource(device: string, form: StreamForm, isLive: boolean): VideoSource {
  const { format, size, rate } = form;
  const asked = [
    ...(rate === null ? [] : ['-framerate', fraction(rate)]),
    ...(size === null ? [] : ['-video_size', size]),
  ];
  return { ...source(device, device, ['-f', format ?? 'v4l2', ...asked]), isLive };
}

function source(path: string, argument: string, inputOptions: readonly string[]): VideoSource {
  const untold = { colour: { filters: '', matrix: 'auto' }, stream: { codec: 'unknown' }, orientation: null };
  return { path, argument, inputOptions, timebase: ticks, ...untold };
}

function fraction(rate: Rational | null): string {
  return rate === null ? '25' : `${rate.numerator}/${rate.denominator}`;
}
