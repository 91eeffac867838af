import type { JSX } from 'preact';
import { sourceKinds, type SourceKind } from '../studio/source.js';
import type { Studio } from '../studio/studio.js';
import { CameraChoice } from './camera-choice.js';
import { FileButton } from './file-button.js';
import { icons } from './icons.js';
import { PlaybackBar } from './playback-bar.js';

const names: Readonly<Record<SourceKind, string>> = {
  clip: 'Clip',
  camera: 'Camera',
  screen: 'Screen',
  tab: 'Tab',
  file: 'File',
  image: 'Image',
  words: 'Words',
};

/** A choice of the video source. */
export function SourcePicker({ studio }: { readonly studio: Studio }): JSX.Element {
  const playing = studio.source.value;
  const opening = studio.opening.value;
  return (
    <section class="card" aria-label="Source">
      <div class="sources">
        {sourceKinds.map((kind) => {
          const shared = {
            key: kind,
            class: 'source',
            'data-opening': opening === kind,
          };
          const content = (
            <>
              {icons[kind]}
              <span>{names[kind]}</span>
            </>
          );
          return kind === 'file' ? (
            <FileButton
              {...shared}
              pressed={playing?.kind === 'file' || playing?.kind === 'image'}
              accept="video/*,image/*"
              testId={`source-${kind}`}
              onFile={(file) => void studio.play(file)}
            >
              {content}
            </FileButton>
          ) : (
            <button
              {...shared}
              type="button"
              aria-pressed={playing?.kind === kind}
              data-testid={`source-${kind}`}
              onClick={() => void studio.play(kind)}
            >
              {content}
            </button>
          );
        })}
        {paintsFromNoise(studio) && (
          <button
            type="button"
            class="source"
            title="Without a video: painted from the prompt alone"
            aria-pressed={playing?.kind === 'words'}
            data-opening={opening === 'words'}
            data-testid="source-words"
            onClick={() => void studio.play('words')}
          >
            {icons.words}
            <span>{names.words}</span>
          </button>
        )}
      </div>
      <CameraChoice studio={studio} />
      {playing !== undefined && playing.kind !== 'words' && playing.kind !== 'image' && (
        <PlaybackBar playback={studio.playback} isFile={playing.kind === 'file' || playing.kind === 'clip'} />
      )}
      {playing !== undefined && studio.sourceProblem.value !== undefined && (
        <p class="problem" role="alert">
          {studio.sourceProblem.value}
        </p>
      )}
    </section>
  );
}

/** Returns whether the model also generates without a video. */
function paintsFromNoise(studio: Studio): boolean {
  const { mode } = studio.capabilities.value?.parameters.properties ?? {};
  return mode?.enum?.includes('txt2img') === true;
}
