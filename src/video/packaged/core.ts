import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';

/** The part of `@ffmpeg/core` used here: ffmpeg compiled to WebAssembly by Emscripten. */
export interface FfmpegCore {
  /** Runs the program to its end, without returning to the event loop. */
  exec(...args: string[]): void;
  /** Exit code of the last run. */
  readonly ret: number;
  setLogger(log: (line: { readonly message: string }) => void): void;
  readonly FS: EmscriptenFs;
}

/** The part of Emscripten's file system API that can give a file its own operations. */
export interface EmscriptenFs {
  analyzePath(path: string): { readonly exists: boolean };
  mkdirTree(path: string): void;
  lookupPath(path: string): { readonly node: FsNode };
  createNode(parent: FsNode, name: string, mode: number, device: number): FsNode;
  createStream(stream: FsStream, fd: number): void;
  getStream(fd: number): FsStream | null;
  readonly ErrnoError: new (code: number) => Error;
}

export interface FsNode {
  readonly id: number;
  node_ops: object;
  stream_ops: StreamOperations;
}

export interface FsStream {
  readonly node: FsNode;
  readonly path: string;
  readonly flags: number;
  seekable: boolean;
  position: number;
  stream_ops: StreamOperations;
}

export interface StreamOperations {
  open(stream: FsStream): void;
  close(): void;
  read(stream: FsStream, memory: Int8Array, offset: number, length: number, position: number): number;
  write(stream: FsStream, memory: Int8Array, offset: number, length: number, position: number): number;
  llseek(stream: FsStream, offset: number, whence: number): number;
}

/**
 * Loads the package, which is made for browsers: it reads the address of its page and would fetch its code from there.
 */
export async function loadCore(): Promise<FfmpegCore> {
  // Most runs take under a second, of which V8 would spend more on checking and optimising than they gain: functions
  // are checked when they are first called, and optimised when they have run thirty times longer than usual.
  setFlagsFromString('--wasm-lazy-validation');
  setFlagsFromString('--wasm-tiering-budget=60000000');
  const require = createRequire(import.meta.url);
  Object.assign(globalThis, { self: { location: { href: '' } } });
  const create = require('@ffmpeg/core') as (options: {
    readonly wasmBinary: Uint8Array;
  }) => Promise<FfmpegCore>;
  return create({ wasmBinary: await readFile(require.resolve('@ffmpeg/core/wasm')) });
}
