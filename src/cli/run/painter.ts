import type { ModelControl, ParameterUpdate, StreamParameters } from '@millrace/protocol';
import type { Engine } from '../../engine/engine.js';
import type { SideSchema } from './shape.js';

/** What generates frames for `run`: an engine in this process, or a server. */
export interface Painter extends Pick<Engine, 'openStream' | 'allocate'>, AsyncDisposable {
  readonly defaults: StreamParameters;
  readonly width: SideSchema;
  readonly height: SideSchema;
  /** The controls whose pictures are made here; a server makes them itself. */
  readonly controls: readonly ModelControl[];
  /** Checks values as far as that is possible before the first frame. @throws {ParameterError} */
  check(update: ParameterUpdate): ParameterUpdate;
  /** Reads a style image. @throws {RunError} that names the file, or says that the model takes none. */
  readStyleImage(file: string): Promise<Uint8Array>;
  /** Waits until it is ready. */
  start(): Promise<void>;
}

/** Receives what happens besides the frames. */
export interface PainterObserver {
  /** What is waited for, before the first frame. */
  readonly onWait: (what: string) => void;
  /** A sentence that the user should know. */
  readonly onNote: (text: string) => void;
  /** A result was blurred, since the safety checker flagged it. */
  readonly onFlagged: () => void;
}
