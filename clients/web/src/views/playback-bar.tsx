import type { JSX } from 'preact';
import { inMinutes } from '../studio/counts.js';
import { speeds, type Playback } from '../studio/playback.js';

interface PlaybackProps {
  readonly playback: Playback;
  /** Whether it is a file, and not live. */
  readonly isFile: boolean;
}

/** Pause of any video; position, speed and repetition of a file. */
export function PlaybackBar({ playback, isFile }: PlaybackProps): JSX.Element {
  return (
    <div class="playback" role="group" aria-label="Playback">
      <button
        type="button"
        class="link"
        title="Pause the input, go on (I)"
        data-testid="pause"
        onClick={() => playback.turn()}
      >
        {playback.paused.value ? 'Play' : 'Pause'}
      </button>
      {isFile && <FilePlayback playback={playback} />}
    </div>
  );
}

function FilePlayback({ playback }: { readonly playback: Playback }): JSX.Element {
  const { time, duration, speed, loops } = playback;
  return (
    <>
      <input
        type="range"
        min={0}
        max={duration.value}
        step={0.01}
        value={time.value}
        aria-label="Position"
        aria-valuetext={`${inMinutes(time.value)} of ${inMinutes(duration.value)}`}
        data-testid="position"
        style={{ '--part': duration.value > 0 ? time.value / duration.value : 0 }}
        onInput={({ currentTarget }) => playback.seek(currentTarget.valueAsNumber)}
      />
      <span class="clock">{inMinutes(time.value)}</span>
      <label>
        <span class="hidden">Speed</span>
        <select
          value={speed.value}
          data-testid="speed"
          onChange={({ currentTarget }) => playback.chooseSpeed(Number(currentTarget.value))}
        >
          {speeds.map((each) => (
            <option key={each} value={each}>
              {each}×
            </option>
          ))}
        </select>
      </label>
      <label class="loop">
        <input
          type="checkbox"
          checked={loops.value}
          data-testid="loop"
          onChange={({ currentTarget }) => playback.repeat(currentTarget.checked)}
        />
        Loop
      </label>
    </>
  );
}
