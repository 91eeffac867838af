import type { JSX } from 'preact';
import { inMinutes } from '../studio/counts.js';
import { speeds, type Playback } from '../studio/playback.js';

/** Pause, position, speed and repetition of a file. */
export function PlaybackBar({ playback }: { readonly playback: Playback }): JSX.Element {
  const { paused, time, duration, speed, loops } = playback;
  return (
    <div class="playback" role="group" aria-label="Playback">
      <button type="button" class="link" data-testid="pause" onClick={() => playback.turn()}>
        {paused.value ? 'Play' : 'Pause'}
      </button>
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
    </div>
  );
}
