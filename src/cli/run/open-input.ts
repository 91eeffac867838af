import { access, constants, stat } from 'node:fs/promises';
import { isatty } from 'node:tty';
import type { Ffmpeg } from '../../video/ffmpeg.js';
import type { VideoSource } from '../../video/read.js';
import { withoutSecrets } from '../../video/secrets.js';
import {
  deviceSource,
  isUrl,
  needSystemFfmpeg,
  networkSource,
  pipedSource,
  type StreamForm,
} from '../../video/streams.js';
import { codeOf } from '../error-code.js';
import { fetchInput } from './fetch-input.js';
import { openFolder, openPattern } from './folder.js';
import type { Input, InputOptions } from './input.js';
import { framesOf, openFile } from './open-file.js';
import { isPattern } from './pattern.js';
import { RunError } from './run-error.js';

const noForm: StreamForm = { format: null, size: null, rate: null };

/**
 * Opens the input: a file, a folder or pattern of pictures, standard input (`-`), an address in the network or a
 * device.
 * @throws {RunError | VideoError}
 */
export async function openInput(path: string, options: InputOptions): Promise<Input> {
  const { ffmpeg, rate, form = noForm, isLive } = options;
  if (path === '-') {
    if (isatty(0)) throw new RunError('the input is standard input (-), but nothing is piped into it');
    return openStream(await ffmpeg(), pipedSource(form, isLive ?? false));
  }
  if (isUrl(path)) return openAddress(path, options);
  const found = await stat(path).catch((error: unknown) => {
    const code = codeOf(error) ?? '';
    if (code === 'ENOENT') return null;
    throw new RunError(`${path} cannot be read (${code})`, { cause: error });
  });
  if (found === null) {
    if (isPattern(path)) return openPattern(path, rate);
    // On other systems, the names of devices are not files.
    if (form.format !== null) return openStream(await ffmpeg(), deviceSource(path, form, isLive ?? true));
    throw new RunError(`there is no file or folder ${path}`);
  }
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw new RunError(`${path} cannot be read: permission denied`, { cause: error });
  });
  if (found.isDirectory()) return openFolder(path, rate);
  if (found.isCharacterDevice() && (form.format !== null || path.startsWith('/dev/video'))) {
    const system = await ffmpeg();
    needSystemFfmpeg(system, `the camera ${path} cannot be opened`);
    return openStream(system, deviceSource(path, form, isLive ?? true));
  }
  if (!found.isFile()) throw new RunError(`${path} is not a file but a device or a pipe`);
  return openFile(path, options);
}

/** Opens an address: a file that can be fetched, or a stream. */
async function openAddress(url: string, options: InputOptions): Promise<Input> {
  const { ffmpeg, form = noForm, scratch, signal } = options;
  let isLive = true;
  if (/^https?:/i.test(url) && scratch) {
    const found = await fetchInput(url, { scratch, signal });
    if ('file' in found) return { ...(await openFile(found.file, options)), path: withoutSecrets(url) };
    ({ isLive } = found);
  }
  const system = await ffmpeg();
  needSystemFfmpeg(system, `${withoutSecrets(url)} cannot be opened`);
  return openStream(system, networkSource(url, form, options.isLive ?? isLive));
}

function openStream(ffmpeg: Ffmpeg, source: VideoSource): Input {
  return {
    kind: 'video',
    path: source.path,
    total: null,
    isLive: source.isLive ?? false,
    video: null,
    last: null,
    timebase: source.timebase,
    rate: null,
    passedOver: [],
    frames: (onDamage) => framesOf(ffmpeg, source, onDamage),
  };
}
