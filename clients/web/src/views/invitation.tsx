import type { JSX } from 'preact';
import { missingFeatures } from '../studio/missing-features.js';
import type { Studio } from '../studio/studio.js';
import { FileButton } from './file-button.js';
import { icons } from './icons.js';

/** The empty stage: what the page does, and the sources to start with. */
export function Invitation({ studio }: { readonly studio: Studio }): JSX.Element {
  const missing = missingFeatures();
  return (
    <div class="invitation">
      <h2>
        Your video, <em>repainted</em> as it happens.
      </h2>
      <p>Point a camera, choose a style, and watch yourself painted live. Nothing to install, no account.</p>
      <div class="ways">
        <button
          type="button"
          class="way primary"
          data-testid="play-clip"
          onClick={() => void studio.play('clip')}
        >
          {icons.clip} Play the clip
        </button>
        <button type="button" class="way" data-testid="use-camera" onClick={() => void studio.play('camera')}>
          {icons.camera} Use my camera
        </button>
      </div>
      <div class="ways small">
        <button type="button" class="link" onClick={() => void studio.play('screen')}>
          Share a screen
        </button>
        <FileButton class="link" accept="video/*,image/*" onFile={(file) => void studio.play(file)}>
          Open a video or an image
        </FileButton>
      </div>
      {(missing ?? studio.sourceProblem.value) !== undefined && (
        <p class="problem" role="alert">
          {missing ?? studio.sourceProblem.value}
        </p>
      )}
    </div>
  );
}
