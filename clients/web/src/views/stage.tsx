import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Studio } from '../studio/studio.js';
import { icons } from './icons.js';
import { Invitation } from './invitation.js';
import { StageMessage } from './status.js';

/** Input and output side by side, or the output in the whole window with the input in its corner. */
export type StageView = 'split' | 'full';

interface StageProps {
  readonly studio: Studio;
  readonly view: Signal<StageView>;
}

const glowPeriod = 200;

/** What goes in and what comes out. */
export function Stage({ studio, view }: StageProps): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const glow = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (video.current === null || canvas.current === null) return;
    void studio.begin({ video: video.current, canvas: canvas.current });
  }, [studio]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (studio.flowing.peek() && canvas.current !== null) paintGlow(canvas.current, glow.current);
    }, glowPeriod);
    return () => clearInterval(timer);
  }, [studio]);

  const source = studio.source.value;
  return (
    <section
      class="stage"
      aria-label="Stage"
      data-flowing={studio.flowing.value}
      style={{ '--aspect': studio.aspect.value }}
    >
      <canvas class="glow" ref={glow} width="8" height="8" aria-hidden="true" />
      <figure class="pane input" data-mirror={source?.mirror ?? false}>
        <video ref={video} muted playsInline aria-label="Input video" data-testid="input" />
        <figcaption>Input</figcaption>
      </figure>
      <figure class="pane output">
        <canvas
          ref={canvas}
          width="256"
          height="256"
          role="img"
          aria-label="Generated video"
          data-testid="output"
        />
        <figcaption>Output</figcaption>
        <StageMessage studio={studio} />
        {source !== undefined && <Tools studio={studio} view={view} />}
      </figure>
      {source === undefined && <Invitation studio={studio} />}
    </section>
  );
}

function Tools({ studio, view }: StageProps): JSX.Element {
  const full = view.value === 'full';
  return (
    <div class="tools">
      <button
        type="button"
        class="tool"
        aria-pressed={full}
        title={full ? 'Side by side (F)' : 'Fill the window (F)'}
        data-testid="view"
        onClick={() => (view.value = full ? 'split' : 'full')}
      >
        {full ? icons.split : icons.full}
        <span class="hidden">Fill the window</span>
      </button>
      <button
        type="button"
        class="tool"
        title="Save this picture"
        disabled={!studio.flowing.value}
        onClick={() => void save(studio)}
      >
        {icons.save}
        <span class="hidden">Save this picture</span>
      </button>
      <button type="button" class="tool" title="Stop" data-testid="stop" onClick={() => studio.stop()}>
        {icons.stop}
        <span class="hidden">Stop</span>
      </button>
    </div>
  );
}

async function save(studio: Studio): Promise<void> {
  const picture = await studio.snapshot();
  if (picture === undefined) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(picture);
  link.download = `millrace-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A few pixels of the picture, which the style sheet draws large and soft behind the stage. */
function paintGlow(picture: HTMLCanvasElement, glow: HTMLCanvasElement | null): void {
  glow?.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0, glow.width, glow.height);
}
