import type { JSX } from 'preact';
import type { SizeOffer } from '../studio/shape.js';
import { aspects, inFrames } from '../studio/shapes.js';
import type { Studio } from '../studio/studio.js';

/** Chooses the aspect ratio and the size of the results; nothing if the model has one size only. */
export function ShapeControl({ studio: { shape } }: { readonly studio: Studio }): JSX.Element | null {
  if (shape.limits.value === undefined) return null;
  const follows = shape.followsSource.value;
  const nearest = nearestOf(shape.offers.value, shape.side.value);
  return (
    <section class="card controls" aria-label="Shape">
      <div class="control" role="group" aria-labelledby="shape-title">
        <span class="title" id="shape-title">
          Shape
        </span>
        <div class="segments wrapped" role="radiogroup" aria-labelledby="shape-title">
          {aspects.map(({ name, ratio }) => (
            <label key={name}>
              <input
                type="radio"
                name="shape"
                checked={!follows && shape.aspect.value === name}
                data-testid={`shape-${name}`}
                onChange={() => shape.chooseAspect(ratio)}
              />
              <span>{name}</span>
            </label>
          ))}
          <label>
            <input
              type="radio"
              name="shape"
              checked={follows}
              data-testid="shape-source"
              onChange={() => shape.chooseAspect()}
            />
            <span>as the source</span>
          </label>
        </div>
        <label class="title" for="size">
          Size
        </label>
        <select
          id="size"
          data-testid="size"
          value={nearest}
          onChange={({ currentTarget }) => {
            const offer = shape.offers.peek()[Number(currentTarget.value)];
            if (offer) shape.chooseSide(offer.side);
          }}
        >
          {shape.offers.value.map((offer, index) => (
            <option key={offer.side} value={index} disabled={offer.fps === 0 && index !== nearest}>
              {inWords(offer)}
            </option>
          ))}
        </select>
      </div>
    </section>
  );
}

function inWords({ size: { width, height }, fps }: SizeOffer): string {
  const size = `${width} × ${height}`;
  if (fps === undefined) return size;
  return fps === 0
    ? `${size}, too large for this server`
    : `${size}, about ${inFrames(fps)} frames a second here`;
}

/** Returns the index of the offer whose side is nearest. */
function nearestOf(offers: readonly SizeOffer[], side: number): number {
  const distances = offers.map((offer) => Math.abs(Math.log(offer.side / side)));
  return distances.indexOf(Math.min(...distances));
}
