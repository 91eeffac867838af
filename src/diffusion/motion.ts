/** A size in cells: values of a latent along each side. */
export interface Grid {
  readonly width: number;
  readonly height: number;
}

/**
 * How a picture has moved. Cell (x, y) of the new picture shows what was at (x - dx, y - dy) in the old one, in whole
 * cells.
 */
export interface Motion {
  readonly dx: Int8Array;
  readonly dy: Int8Array;
  /** 1 where a cell was recognised by its surroundings; other cells move as most of the picture does. */
  readonly known: Uint8Array;
}

/** The greatest motion that is found, in cells along each side. */
const reach = 3;
/** Cells are compared with those up to this far around them, in each direction. */
const radius = 2;
/** In levels of brightness: how much better than no motion at all another one must fit, alone and for each cell. */
const bias = 0.5;
const biasPerCell = 0.1;
/** The least mean change from a cell to the next by which its surroundings can be recognised. */
const leastTexture = 2;
/**
 * The greatest difference at which surroundings are recognised: this many levels, and this share of the mean difference
 * over all motions. Even a right match differs, by up to half a cell and by what light and cameras do.
 */
const leastFit = 1;
const mostOfTypical = 0.5;

/**
 * Returns the mean brightness of the pixels of each cell, 0 to 255. Cells beyond the edge are like those at it.
 * @param pixels RGB bytes. @param factor pixels along each side of a cell.
 */
export function lumaOf(pixels: ArrayLike<number>, picture: Grid, factor: number, cells: Grid): Float32Array {
  const sums = new Float32Array(cells.width * cells.height);
  const columns = Math.min(cells.width, Math.ceil(picture.width / factor));
  const rows = Math.min(cells.height, Math.ceil(picture.height / factor));
  for (let row = 0; row < rows; row++) {
    const bottom = Math.min((row + 1) * factor, picture.height);
    for (let column = 0; column < columns; column++) {
      const right = Math.min((column + 1) * factor, picture.width);
      let sum = 0;
      for (let y = row * factor; y < bottom; y++) {
        let p = (y * picture.width + column * factor) * 3;
        for (const end = (y * picture.width + right) * 3; p < end; p += 3) {
          // ITU-R BT.601, in units of 1/256.
          sum += 77 * pixels[p] + 150 * pixels[p + 1] + 29 * pixels[p + 2];
        }
      }
      const count = (bottom - row * factor) * (right - column * factor);
      sums[row * cells.width + column] = sum / (256 * count);
    }
    sums.fill(sums[row * cells.width + columns - 1], row * cells.width + columns, (row + 1) * cells.width);
  }
  for (let row = rows; row < cells.height; row++) {
    sums.copyWithin(row * cells.width, (rows - 1) * cells.width, rows * cells.width);
  }
  return sums;
}

/**
 * Finds how the picture has moved from `before` to `now`, each the brightness of its cells: for each cell the motion by
 * which its surroundings differ least (block matching), or that of most cells if it fits as well.
 * @returns null if they show different things, as after a cut.
 */
export function motionBetween(before: Float32Array, now: Float32Array, grid: Grid): Motion | null {
  const count = grid.width * grid.height;
  const best = new Float32Array(count).fill(Infinity);
  const [sums, tried] = [new Float32Array(count), new Uint8Array(count)];
  const [dx, dy] = [new Int8Array(count), new Int8Array(count)];
  const differences = new Float32Array(count);
  const boxes = new Boxes(grid);
  for (const [x, y] of candidates) {
    differ(before, now, grid, { x, y, out: differences });
    const means = boxes.means(differences, x, y);
    const still = x === 0 && y === 0;
    if (still && means.every((mean) => mean <= leastFit))
      return { dx, dy, known: new Uint8Array(count).fill(1) };
    const extra = still ? 0 : bias + biasPerCell * (Math.abs(x) + Math.abs(y));
    for (let cell = 0; cell < count; cell++) {
      const mean = means[cell];
      if (mean === Infinity) continue;
      sums[cell] += mean;
      tried[cell] += 1;
      if (mean + extra >= best[cell]) continue;
      best[cell] = mean + extra;
      dx[cell] = x;
      dy[cell] = y;
    }
  }
  const known = new Uint8Array(count);
  // The greatest difference at which each cell is recognised; 0 if its surroundings are too plain.
  const limits = new Float32Array(count);
  let textured = 0;
  let found = 0;
  boxes.means(changes(now, grid), 0, 0).forEach((texture, cell) => {
    if (texture < leastTexture) return;
    textured += 1;
    limits[cell] = leastFit + (mostOfTypical * sums[cell]) / tried[cell];
    if (best[cell] > limits[cell]) return;
    known[cell] = 1;
    found += 1;
  });
  if (2 * found < textured) return null;
  const main = mainMotion({ dx, dy, known });
  // Between two whole cells of motion each fits some cells better: they must not move apart.
  differ(before, now, grid, { ...main, out: differences });
  boxes.means(differences, main.x, main.y).forEach((mean, cell) => {
    if (known[cell] === 1 && mean > limits[cell]) return;
    dx[cell] = main.x;
    dy[cell] = main.y;
  });
  return { dx, dy, known };
}

/**
 * Returns for each cell the cell that moves to it, or -1 if there is none. No cell moves to two places, so independent
 * values stay independent.
 */
export function sourcesOf({ dx, dy }: Motion, { width, height }: Grid): Int32Array {
  const sources = new Int32Array(width * height).fill(-1);
  const taken = new Uint8Array(width * height);
  for (let y = 0, cell = 0; y < height; y++) {
    for (let x = 0; x < width; x++, cell++) {
      const [fromX, fromY] = [x - dx[cell], y - dy[cell]];
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      const source = fromY * width + fromX;
      if (taken[source] === 1) continue;
      taken[source] = 1;
      sources[cell] = source;
    }
  }
  return sources;
}

/** All motions that are tried: none first, which wins if several fit equally well. */
const candidates: readonly (readonly [x: number, y: number])[] = Array.from(
  { length: (2 * reach + 1) ** 2 },
  (_, i) => [(i % (2 * reach + 1)) - reach, Math.floor(i / (2 * reach + 1)) - reach] as const,
).sort(([ax, ay], [bx, by]) => Math.abs(ax) + Math.abs(ay) - Math.abs(bx) - Math.abs(by));

/** Writes |now - before| for a motion; 0 where the cell was outside of the picture. */
function differ(
  before: Float32Array,
  now: Float32Array,
  { width, height }: Grid,
  { x, y, out }: { readonly x: number; readonly y: number; readonly out: Float32Array },
): void {
  out.fill(0);
  const [left, right] = [Math.max(0, x), Math.min(width, width + x)];
  for (let row = Math.max(0, y); row < Math.min(height, height + y); row++) {
    let from = (row - y) * width + left - x;
    for (let cell = row * width + left; cell < row * width + right; cell++, from++) {
      out[cell] = Math.abs(now[cell] - before[from]);
    }
  }
}

/** Returns the mean change from each cell to the next ones to the right and below. */
function changes(luma: Float32Array, { width, height }: Grid): Float32Array {
  return luma.map((value, cell) => {
    const right = cell % width < width - 1 ? luma[cell + 1] : value;
    const below = cell < width * (height - 1) ? luma[cell + width] : value;
    return (Math.abs(right - value) + Math.abs(below - value)) / 2;
  });
}

/**
 * Returns the motion of most known cells; none if it is not that of half of them, or if fewer than a quarter of all
 * cells are known: then it may be that of a small thing in front of a plain wall.
 */
function mainMotion({ dx, dy, known }: Motion): { readonly x: number; readonly y: number } {
  const votes = new Map<number, number>();
  let all = 0;
  known.forEach((isKnown, cell) => {
    if (isKnown === 0) return;
    all += 1;
    const key = dy[cell] * 256 + dx[cell];
    votes.set(key, (votes.get(key) ?? 0) + 1);
  });
  let main = { x: 0, y: 0 };
  if (4 * all < known.length) return main;
  for (const [key, count] of votes) {
    if (2 * count <= all) continue;
    const y = Math.round(key / 256);
    main = { x: key - 256 * y, y };
  }
  return main;
}

/** Means over the cells around each cell, in a number of steps that does not depend on the radius. */
class Boxes {
  readonly #grid: Grid;
  readonly #rows: Float32Array;
  readonly #sums: Float64Array;
  readonly #means: Float32Array;

  constructor(grid: Grid) {
    this.#grid = grid;
    this.#rows = new Float32Array(grid.width * grid.height);
    this.#sums = new Float64Array(grid.width);
    this.#means = new Float32Array(grid.width * grid.height);
  }

  /**
   * Returns the mean around each cell; Infinity if no cell around it has its source inside of the picture. The result is
   * valid until the next call.
   * @param values 0 for cells whose source is outside. @param dx the motion, with `dy`.
   */
  means(values: Float32Array, dx: number, dy: number): Float32Array {
    const { width, height } = this.#grid;
    const rows = this.#rows;
    for (let start = 0; start < rows.length; start += width) {
      let sum = 0;
      for (let x = -radius; x < width; x++) {
        if (x + radius < width) sum += values[start + x + radius];
        if (x > radius) sum -= values[start + x - radius - 1];
        if (x >= 0) rows[start + x] = sum;
      }
    }
    const sums = this.#sums.fill(0);
    const means = this.#means;
    for (let y = -radius; y < height; y++) {
      const [entering, leaving] = [(y + radius) * width, (y - radius - 1) * width];
      const [enters, leaves] = [y + radius < height, y > radius];
      const tall = Math.min(y + radius, height - 1 + Math.min(dy, 0)) - Math.max(y - radius, dy, 0) + 1;
      for (let x = 0; x < width; x++) {
        if (enters) sums[x] += rows[entering + x];
        if (leaves) sums[x] -= rows[leaving + x];
        if (y < 0) continue;
        const wide = Math.min(x + radius, width - 1 + Math.min(dx, 0)) - Math.max(x - radius, dx, 0) + 1;
        means[y * width + x] = tall > 0 && wide > 0 ? sums[x] / (tall * wide) : Infinity;
      }
    }
    return means;
  }
}
