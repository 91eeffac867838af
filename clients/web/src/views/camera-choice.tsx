import type { JSX } from 'preact';
import type { Studio } from '../studio/studio.js';

/** Chooses a camera by its name; nothing if there is only one. */
export function CameraChoice({ studio }: { readonly studio: Studio }): JSX.Element | null {
  const { camera, cameras = [] } = studio.source.value ?? {};
  if (cameras.length < 2) return null;
  return (
    <div class="control camera-choice">
      <label class="title" for="camera">
        Camera
      </label>
      <select
        id="camera"
        value={camera ?? ''}
        data-testid="camera"
        onChange={({ currentTarget }) => void studio.switchCamera(currentTarget.value)}
      >
        {cameras.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
