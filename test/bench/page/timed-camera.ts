/** What the page measured since it was last cleared. */
export interface Shown {
  /** Milliseconds from the drawing of a source picture until its result was on the screen's canvas, for each result. */
  readonly latencies: number[];
  /** Pictures whose number could not be read. */
  unread: number;
  /** Results that came, shown or not. */
  received: number;
}

/**
 * Runs in the page, before its scripts: gives it a camera of 30 pictures a second that shows a film, and below it the
 * number of the picture in black and white fields; reads these numbers back from each picture on the output's canvas.
 *
 * A bit of a number is two fields of which one is bright, so that styles which change all colours leave it readable.
 * Four bits check the others.
 */
export function timeCamera(): void {
  const side = 512;
  const columns = 8;
  const rows = 4;
  const periodMs = 1000 / 30;
  const numberBits = 12;
  const shown: Shown = { latencies: [], unread: 0, received: 0 };
  Object.assign(globalThis, { shown });
  const drawnAt = new Map<number, number>();

  const checkOf = (number: number): number =>
    (7 * ((number & 15) + ((number >> 4) & 15) + (number >> 8)) + 5) & 15;
  const draw = (context: CanvasRenderingContext2D, film: HTMLVideoElement, number: number): void => {
    context.drawImage(film, 0, 0, side, side / 2);
    const bits = number | (checkOf(number) << numberBits);
    const [width, height] = [side / columns, side / 2 / rows];
    for (let bit = 0; bit < (columns * rows) / 2; bit++) {
      const left = ((bit * 2) % columns) * width;
      const top = side / 2 + Math.floor((bit * 2) / columns) * height;
      const isSet = ((bits >> bit) & 1) === 1;
      context.fillStyle = isSet ? '#fff' : '#000';
      context.fillRect(left, top, width, height);
      context.fillStyle = isSet ? '#000' : '#fff';
      context.fillRect(left + width, top, width, height);
    }
  };
  const getUserMedia = async (): Promise<MediaStream> => {
    const film = document.createElement('video');
    Object.assign(film, { src: 'clip.webm', muted: true, loop: true });
    await film.play();
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = side;
    const context = canvas.getContext('2d', { alpha: false })!;
    const media = canvas.captureStream(0);
    const track = media.getVideoTracks()[0] as CanvasCaptureMediaStreamTrack;
    // The page mirrors other cameras.
    track.getSettings = () => ({ facingMode: 'environment' });
    let count = 0;
    setInterval(() => {
      count = (count + 1) % (1 << numberBits);
      draw(context, film, count);
      drawnAt.set(count, performance.now());
      track.requestFrame();
    }, periodMs);
    return media;
  };
  Object.assign(navigator.mediaDevices, { getUserMedia });

  globalThis.WebSocket = class extends WebSocket {
    constructor(...details: ConstructorParameters<typeof WebSocket>) {
      super(...details);
      this.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        // A message begins with its type.
        const isResult =
          data instanceof ArrayBuffer && new TextDecoder().decode(data.slice(0, 16)).includes('result');
        if (isResult) shown.received += 1;
      });
    }
  };

  const copy = document.createElement('canvas').getContext('2d', { alpha: false, willReadFrequently: true })!;
  /** Returns the brightness of the middle of each field. */
  const brightnesses = (canvas: HTMLCanvasElement): number[] => {
    const { width, height } = canvas;
    Object.assign(copy.canvas, { width, height: height / 2 });
    copy.drawImage(canvas, 0, -height / 2);
    const { data } = copy.getImageData(0, 0, width, height / 2);
    const [across, down] = [width / columns, height / 2 / rows];
    return Array.from({ length: columns * rows }, (_, field) => {
      const [left, top] = [(field % columns) * across, Math.floor(field / columns) * down];
      let sum = 0;
      for (let y = Math.round(top + down / 4); y < top + (down * 3) / 4; y++) {
        for (let x = Math.round(left + across / 4); x < left + (across * 3) / 4; x++) {
          const at = (y * width + x) * 4;
          sum += (data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0);
        }
      }
      return sum;
    });
  };
  const numberIn = (fields: readonly number[]): number | undefined => {
    let bits = 0;
    for (let bit = 0; bit < fields.length / 2; bit++) {
      if ((fields[bit * 2] ?? 0) > (fields[bit * 2 + 1] ?? 0)) bits |= 1 << bit;
    }
    // A negative has all bits the other way round.
    return [bits, ~bits & 0xffff]
      .map((each) => ({ number: each & ((1 << numberBits) - 1), check: each >> numberBits }))
      .find(({ number, check }) => check === checkOf(number) && drawnAt.has(number))?.number;
  };
  let last = '';
  const look = (now: number): void => {
    requestAnimationFrame(look);
    const canvas = document.querySelector<HTMLCanvasElement>('[data-flowing=true] [data-testid=output]');
    if (canvas === null) return;
    const fields = brightnesses(canvas);
    const present = fields.join();
    if (present === last) return;
    last = present;
    const number = numberIn(fields);
    if (number === undefined) shown.unread += 1;
    else shown.latencies.push(now - (drawnAt.get(number) ?? NaN));
  };
  requestAnimationFrame(look);
}
