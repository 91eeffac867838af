import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import type { EmscriptenFs, FsNode, FsStream, StreamOperations } from './core.js';

/** WASI's numbers for file errors. */
const wasiErrors: Readonly<Record<string, number>> = {
  EACCES: 2,
  EFBIG: 22,
  EIO: 29,
  EISDIR: 31,
  ENAMETOOLONG: 37,
  ENOENT: 44,
  ENOSPC: 51,
  ENOTDIR: 54,
  EPERM: 63,
  EPIPE: 64,
  EROFS: 69,
  ESPIPE: 70,
};

const regularFile = 0o100_666;
const epoch = new Date(0);

/** Makes a file of this machine available to the program under its path. */
export function addFile(fs: EmscriptenFs, path: string, mode: 'read' | 'write'): void {
  const inside = posix.resolve('/', path);
  if (fs.analyzePath(inside).exists) return;
  fs.mkdirTree(posix.dirname(inside));
  const file = new HostFile(fs, () => openSync(path, mode === 'read' ? 'r' : 'w+'), true);
  const folder = fs.lookupPath(posix.dirname(inside)).node;
  const node = fs.createNode(folder, posix.basename(inside), regularFile, 0);
  node.node_ops = { getattr: () => attributes(node, file.size), setattr: () => {} };
  node.stream_ops = file;
}

/** Connects a descriptor of the program to the descriptor of this process with the same number. */
export function addDescriptor(fs: EmscriptenFs, fd: number): void {
  const stream = fs.getStream(fd);
  const operations = new HostFile(fs, () => fd, false);
  if (stream) {
    stream.stream_ops = operations;
    stream.seekable = false;
    return;
  }
  const { node } = fs.lookupPath('/dev/null');
  const options = { node, path: `pipe:${fd}`, flags: 2, seekable: false, position: 0 };
  fs.createStream({ ...options, stream_ops: operations }, fd);
}

/** A file or pipe of this machine, opened, read and written when the program does so. */
class HostFile implements StreamOperations {
  readonly #fs: EmscriptenFs;
  readonly #open: () => number;
  readonly #seekable: boolean;
  #fd: number | null = null;

  constructor(fs: EmscriptenFs, open: () => number, seekable: boolean) {
    this.#fs = fs;
    this.#open = open;
    this.#seekable = seekable;
  }

  get size(): number {
    return this.#fd === null ? 0 : fstatSync(this.#fd).size;
  }

  open(stream: FsStream): void {
    stream.seekable = this.#seekable;
    this.#descriptor();
  }

  close(): void {
    if (this.#seekable && this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  read(_: FsStream, memory: Int8Array, offset: number, length: number, position: number): number {
    return this.#try(() =>
      readSync(this.#descriptor(), memory, offset, length, this.#seekable ? position : null),
    );
  }

  write(_: FsStream, memory: Int8Array, offset: number, length: number, position: number): number {
    return this.#try(() =>
      writeSync(this.#descriptor(), memory, offset, length, this.#seekable ? position : null),
    );
  }

  llseek(stream: FsStream, offset: number, whence: number): number {
    if (!this.#seekable) throw new this.#fs.ErrnoError(wasiErrors['ESPIPE'] ?? 0);
    const from = [0, stream.position, this.size][whence] ?? 0;
    return from + offset;
  }

  #descriptor(): number {
    return (this.#fd ??= this.#try(this.#open));
  }

  /** Converts errors to those that the program knows; retries a pipe that the other side made non-blocking. */
  #try(operation: () => number): number {
    for (;;) {
      try {
        return operation();
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        // Windows reports this at the end of a pipe.
        if (code === 'EOF') return 0;
        if (code !== 'EAGAIN') throw new this.#fs.ErrnoError(wasiErrors[code] ?? wasiErrors['EIO'] ?? 0);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }
}

function attributes(node: FsNode, size: number): object {
  const [dev, nlink, uid, gid, rdev, blksize] = [1, 1, 0, 0, 0, 4096];
  const times = { atime: epoch, mtime: epoch, ctime: epoch };
  const blocks = Math.ceil(size / 512);
  return { ...times, dev, ino: node.id, mode: regularFile, nlink, uid, gid, rdev, size, blksize, blocks };
}
