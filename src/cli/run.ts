import { MillraceError } from '@millrace/client';
import { Command } from 'commander';
import { oneLine } from '../engine/as-error.js';
import { ParameterError } from '../engine/engine.js';
import { addEngineOptions } from './engine-options.js';
import { interruptible } from './interruptible.js';
import { addParameterOptions } from './run/parameter-options.js';
import { remarkLines, type Report } from './run/report.js';
import { hiderFor, run } from './run/run.js';
import type { RunOptions } from './run/run-options.js';

const epilogue = `
<input> is a video, an image, a folder of images or a pattern of their names
(frames/%04d.png), standard input (-), an address (https, rtsp, rtmp, srt, HLS),
or a camera (/dev/video0). Each frame of a file gives one output frame, in order
and at the same time. Frames of a live input that come too fast are dropped and
counted. Sound, subtitles and chapters of a file are kept if the output can hold
them; tracks that are encoded again or left out are listed. Of streams, only the
picture is kept. Files of a folder that are not pictures are passed over.

The output is a video (.mp4, .m4v, .mov, .mkv with H.264, .webm with VP9, .gif),
an image (.jpg, .png, .webp), a folder or a pattern (out/%04d.png), standard
output (-), an address (rtmp, rtsp, srt, udp, tcp) or a video device of Linux
(/dev/video10, by v4l2loopback). It has the shape of the input, and about as
many pixels as the model's own size.

A timeline is a YAML or JSON file of what happens when:
  0:00: oil painting
  0:12: blend to van gogh painting over 3 s
  0:20: { prompt: pencil sketch, over: 2, strength: 0.6 }

Ctrl-C finishes the output with what there is; a second one discards it.

MILLRACE_FFMPEG names the ffmpeg to use. Without it, the one on the PATH is
used, or the one that comes with Millrace (slower, no AV1, VP8 instead of VP9,
no network, no devices).

Exit codes: 0 done, 1 failed, 130 interrupted (0 for a live input, which has no
other end).`;

/** `millrace run`: restyles a video or pictures, from and to files, streams and devices. */
export function createRunCommand(): Command {
  const command = new Command('run')
    .description('restyle a video, a camera, a stream or images')
    .argument('<input>', 'a file, a folder, an address, a camera, or - for standard input')
    .requiredOption('-o, --output <path>', 'the output; its name decides the format')
    .option('-p, --prompt <text>', 'what the output should look like')
    .option('--look <file>', 'parameters that the page has saved, as FILE or FILE#NAME; other options win')
    .option('--timeline <file>', 'prompts and parameters that change over time (YAML or JSON)')
    .option('-y, --overwrite', 'replace an existing output')
    .option('--json', 'print figures of the run as JSON on standard output')
    .option('--size <WxH>', 'size of the output in pixels (default: the shape of the input)')
    .option('--fps <rate>', 'frame rate of images, raw video and cameras, as 25 or 30000/1001 (default: 25)')
    .option('--crf <number>', 'quality of the video, lower is better (default: 18 for H.264, 30 for VP9)')
    .option('--quality <number>', 'quality of JPEG and WebP images, 1 to 100', '90')
    .option('--live', 'drop frames of the input that come too fast (default: cameras, endless streams)')
    .option('--no-live', 'drop no frames, whatever the input is')
    .option(
      '--input-format <name>',
      "ffmpeg's name of the input's format: rawvideo[:pixels], lavfi, x11grab, ...",
    )
    .option('--input-size <WxH>', 'size of raw video, or to ask a camera for')
    .option(
      '--output-format <name>',
      'of standard output: matroska, mpegts, mp4, nut, mjpeg, yuv4mpegpipe, rawvideo',
    )
    .option('--server <url>', 'generate on a server instead of here')
    .option('--token <token>', 'API key or JSON Web Token for the server')
    .addHelpText('after', epilogue);
  addEngineOptions(command);
  addParameterOptions(command);
  return command.action((path: string, options: RunOptions) => {
    const hide = hiderFor(path, options);
    const say = (line: string): void => void process.stderr.write(`${hide(line)}\n`);
    return interruptible(
      async (signal, interrupts) => {
        const report = await run(path, options, signal, interrupts);
        if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
        else say(`${options.output === '-' ? 'standard output' : options.output}: ${inWords(report)}`);
        for (const line of remarkLines(report)) say(line);
        if (report.damage !== null)
          say(`${path} is damaged, not all of it could be decoded: ${report.damage}`);
        // Ending a live input is not a failure.
        if (report.interrupted && !report.live) process.exitCode = 130;
      },
      { explain: (error) => hide(explain(error)) },
    );
  });
}

function inWords({ frames_in: read, frames_out: frames, dropped, fps, interrupted, live }: Report): string {
  const done = frames === 1 ? 'one frame' : `${frames} frames, ${fps} a second`;
  const lost = dropped > 0 ? `; ${dropped} of ${read} were dropped, since they came too fast` : '';
  return `${done}${lost}${interrupted && !live ? '; interrupted before the end of the input' : ''}`;
}

function explain(error: unknown): string {
  const message = oneLine(error);
  const isNamed = error instanceof ParameterError || error instanceof MillraceError;
  const field = isNamed ? error.field : undefined;
  return field !== undefined && !message.includes(field) ? `${field} ${message}` : message;
}
