import { useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { watchRendering } from '../studio/slow-rendering.js';
import type { Studio } from '../studio/studio.js';
import { Invitation } from './invitation.js';
import { RecordTool } from './record-tool.js';
import { ProjectionMenu } from './projection-menu.js';
import { Share } from './share.js';
import { StageMessage } from './status.js';
import { Tool } from './tool.js';
import { Wipe } from './wipe.js';

/** Input and output side by side, or the output in the whole window with the input in a corner. */
export type StageView = 'split' | 'full';

interface StageProps {
  readonly studio: Studio;
  readonly view: Signal<StageView>;
}

const glowPeriodMs = 200;

/** The input and output video. */
export function Stage({ studio, view }: StageProps): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const glow = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (video.current === null || canvas.current === null) return;
    void studio.begin({ video: video.current, canvas: canvas.current });
  }, [studio]);
  const slow = useSignal(false);
  useEffect(() => {
    const timer = setInterval(() => {
      if (studio.flowing.peek() && canvas.current !== null) paintGlow(canvas.current, glow.current);
    }, glowPeriodMs);
    return () => clearInterval(timer);
  }, [studio]);
  const flowing = studio.flowing.value;
  useEffect(() => {
    if (!flowing || slow.peek()) return;
    const end = new AbortController();
    void watchRendering(() => (slow.value = true), end.signal);
    return () => end.abort();
  }, [flowing, slow]);

  const source = studio.source.value;
  const { projection } = studio;
  return (
    <section
      class="stage"
      aria-label="Stage"
      data-flowing={flowing}
      data-plain={slow.value}
      data-pictured={studio.pictured.value}
      data-wiped={projection.wiped.value}
      data-fit={studio.desk.inForce.value.fit}
      style={{ '--aspect': studio.aspect.value, '--wipe': projection.line.value }}
    >
      {!slow.value && <canvas class="glow" ref={glow} width="8" height="8" aria-hidden="true" />}
      <figure class="pane input" data-mirror={studio.mirror.value} hidden={source?.kind === 'words'}>
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
      {source !== undefined && <Wipe projection={projection} />}
      {source === undefined && <Invitation studio={studio} />}
    </section>
  );
}

function Tools({ studio, view }: StageProps): JSX.Element {
  const full = view.value === 'full';
  return (
    <div class="tools">
      <Tool
        name={full ? 'Side by side' : 'Fill the window'}
        hint="F"
        icon={full ? 'split' : 'full'}
        testId="view"
        onClick={() => (view.value = full ? 'split' : 'full')}
      />
      <ProjectionMenu studio={studio} />
      <Share studio={studio} />
      {(studio.source.value?.cameras?.length ?? 0) > 1 && (
        <Tool
          name="Switch camera"
          icon="turn"
          testId="other-camera"
          onClick={() => void studio.switchCamera()}
        />
      )}
      <Tool
        name="Save this picture"
        hint="S"
        icon="save"
        testId="save"
        disabled={!studio.flowing.value}
        onClick={() => void studio.archive.savePicture()}
      />
      <RecordTool studio={studio} />
      <Tool name="Stop" icon="stop" testId="stop" onClick={() => studio.stop()} />
    </div>
  );
}

/** Copies the picture in a few pixels, which the style sheet draws large and soft behind the stage. */
function paintGlow(picture: HTMLCanvasElement, glow: HTMLCanvasElement | null): void {
  glow?.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0, glow.width, glow.height);
}
