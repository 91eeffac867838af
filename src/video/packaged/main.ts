import { fstatSync } from 'node:fs';
import { ffmpegAdvice } from '../ffmpeg.js';
import { loadCore } from './core.js';
import { addDescriptor, addFile } from './host-files.js';

/**
 * The packaged ffmpeg as a separate program with ffmpeg's options: `node main.js -i file:in.mp4 ...`.
 * It can open only files named as `file:PATH`, and descriptors up to 3: a malicious video that exploits a decoder stays
 * inside WebAssembly, and the process can be killed.
 */
const core = await loadCore();
core.setLogger(() => {});
for (const fd of [0, 1, 2, 3]) if (isOpen(fd)) addDescriptor(core.FS, fd);
const args = process.argv.slice(2);
for (const [index, argument] of args.entries()) {
  if (!argument.startsWith('file:')) continue;
  addFile(core.FS, argument.slice('file:'.length), args[index - 1] === '-i' ? 'read' : 'write');
}
try {
  core.exec(...args);
  process.exitCode = core.ret;
} catch (error) {
  // A WebAssembly trap, where a native program would crash.
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`the ffmpeg that comes with Millrace crashed (${reason}); ${ffmpegAdvice}\n`);
  process.exitCode = 1;
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
