import type { JSX } from 'preact';
import { inMinutes } from '../studio/counts.js';
import type { Studio } from '../studio/studio.js';
import { icons } from './icons.js';

/** Starts and ends a recording, and shows how long it is. */
export function RecordTool({ studio }: { readonly studio: Studio }): JSX.Element {
  const { archive, flowing } = studio;
  const seconds = archive.recorder.seconds.value;
  const recording = seconds !== undefined;
  return (
    <button
      type="button"
      class="tool record"
      aria-label={recording ? 'End the recording' : 'Record'}
      aria-pressed={recording}
      title={recording ? 'End the recording (R)' : 'Record (R)'}
      disabled={!recording && !flowing.value}
      data-testid="record"
      onClick={() => void archive.toggleRecording()}
    >
      {icons.record}
      {recording && <span role="timer">{inMinutes(seconds)}</span>}
    </button>
  );
}
