import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TokenBucket } from '../session/time/token-bucket.js';
import { FrameScanner } from './frame-scanner.js';

export interface FrameRateLimitOptions {
  /** Frames of every kind that pass per second; a tenth of them may come at once. */
  readonly perSecond: number;
  /** Called when the peer is too far beyond the rate: waiting frames are dropped, and so is all that follows. */
  readonly onFlood: () => void;
}

/** Frames that may wait, in seconds of the rate. */
const backlogSeconds = 3;
/** Bytes that may wait before reading from the network pauses. */
const mostBytes = 256 * 1024;
/** Turns of the event loop per second that use up the rate; in between, other connections are served. */
const turnsPerSecond = 30;

/** Bytes that arrived together, and the ends of the counted frames in them. */
interface Piece {
  readonly bytes: Buffer;
  readonly ends: readonly number[];
  /** How much of both has passed. */
  bytesDone: number;
  endsDone: number;
}

/**
 * Limits the rate of incoming WebSocket frames. It comes before the WebSocket library, because that handles everything
 * from one network read at once (10,000 frames, if they are empty): paused or not, it answers pings, checks texts and
 * gathers fragments.
 */
export class FrameRateLimit extends Duplex {
  readonly #wire: Duplex;
  readonly #onFlood: () => void;
  readonly #mostFrames: number;
  readonly #bucket: TokenBucket;
  readonly #framesPerTurn: number;
  readonly #waitMs: number;
  readonly #scanner = new FrameScanner();
  #pieces: Piece[] = [];
  #waitingFrames = 0;
  #waitingBytes = 0;
  /** Whether the reader wants more. */
  #wanted = false;
  #ended = false;
  #flooded = false;
  #timer: NodeJS.Timeout | null = null;
  #turn: NodeJS.Immediate | null = null;

  /** @param head bytes that followed the request. */
  constructor(wire: Duplex, head: Buffer, { perSecond, onFlood }: FrameRateLimitOptions) {
    super();
    this.#wire = wire;
    this.#onFlood = onFlood;
    this.#mostFrames = perSecond * backlogSeconds;
    const burst = Math.max(1, perSecond / 10);
    this.#bucket = new TokenBucket(perSecond, burst);
    this.#framesPerTurn = Math.ceil(perSecond / turnsPerSecond);
    this.#waitMs = Math.max(1, (1000 * Math.min(this.#framesPerTurn, burst)) / perSecond);
    // The time limits of the HTTP server are for requests.
    if (wire instanceof Socket) wire.setTimeout(0).setNoDelay();
    wire.on('data', (chunk: Buffer) => this.#arrive(chunk));
    wire.once('end', () => {
      this.#ended = true;
      this.#release();
    });
    wire.once('error', (error) => this.destroy(error));
    wire.once('close', () => this.destroy());
    if (head.length > 0) this.#arrive(head);
  }

  /** Whether the peer has sent so much that the rest is dropped; this can happen with the upgrade request already. */
  get flooded(): boolean {
    return this.#flooded;
  }

  override _read(): void {
    this.#wanted = true;
    this.#release();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#wire.write(chunk, done);
  }

  /** Writes all chunks in one system call. */
  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#wire.cork();
    chunks.forEach(({ chunk }, i) => this.#wire.write(chunk, i === chunks.length - 1 ? done : undefined));
    this.#wire.uncork();
  }

  override _final(done: () => void): void {
    this.#wire.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#turn) clearImmediate(this.#turn);
    this.#drop();
    this.#wire.destroy();
    done(error);
  }

  #arrive(bytes: Buffer): void {
    if (this.#flooded || this.destroyed) return;
    const ends = this.#scanner.scan(bytes);
    this.#pieces.push({ bytes, ends, bytesDone: 0, endsDone: 0 });
    this.#waitingFrames += ends.length;
    this.#waitingBytes += bytes.length;
    this.#release();
    if (this.#waitingFrames > this.#mostFrames) this.#flood();
    else if (this.#waitingBytes > mostBytes) this.#wire.pause();
  }

  #flood(): void {
    this.#flooded = true;
    this.#drop();
    // Reads on and drops the data: a peer that cannot send would not read why it is closed.
    this.#wire.resume();
    this.#onFlood();
  }

  #drop(): void {
    this.#pieces = [];
    this.#waitingFrames = 0;
    this.#waitingBytes = 0;
  }

  /** Passes on what the rate allows, and schedules the rest. */
  #release(): void {
    if (this.#timer || this.#turn || this.destroyed) return;
    let allowed = this.#framesPerTurn;
    while (this.#wanted) {
      const piece = this.#pieces[0];
      if (piece === undefined) break;
      const left = piece.ends.length - piece.endsDone;
      const count = this.#take(Math.min(allowed, left));
      if (count === 0 && left > 0) return this.#waitFor(allowed > 0);
      allowed -= count;
      this.#hand(piece, count);
    }
    if (this.destroyed) return;
    if (this.#wire.isPaused() && this.#waitingBytes <= mostBytes / 2) this.#wire.resume();
    if (this.#ended && this.#pieces.length === 0) this.push(null);
  }

  /** Takes tokens. @returns how many there were. */
  #take(most: number): number {
    let count = 0;
    while (count < most && this.#bucket.take()) count += 1;
    return count;
  }

  /** Passes on frames of the first piece; with its last one, also the beginning of an incomplete frame. */
  #hand(piece: Piece, count: number): void {
    const { bytes, ends, bytesDone } = piece;
    piece.endsDone += count;
    const whole = piece.endsDone === ends.length;
    piece.bytesDone = whole ? bytes.length : (ends[piece.endsDone - 1] ?? 0);
    if (whole) this.#pieces.shift();
    this.#waitingFrames -= count;
    this.#waitingBytes -= piece.bytesDone - bytesDone;
    const all = bytesDone === 0 && piece.bytesDone === bytes.length;
    this.#wanted = this.push(all ? bytes : bytes.subarray(bytesDone, piece.bytesDone));
  }

  #waitFor(tokens: boolean): void {
    const go = (): void => {
      this.#timer = null;
      this.#turn = null;
      this.#release();
    };
    if (tokens) this.#timer = setTimeout(go, this.#waitMs);
    else this.#turn = setImmediate(go);
  }
}
