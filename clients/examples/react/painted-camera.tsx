import { connect, type MillraceStream } from '@millrace/client';
import { drawResults, VideoSource } from '@millrace/client/browser';
import { useEffect, useRef, useState } from 'react';

interface PaintedCameraProps {
  /** Address of the server, such as http://127.0.0.1:8420. */
  readonly server: string;
  readonly prompt: string;
}

/** Shows the camera, painted by the server. A new prompt takes effect on the running stream. */
export function PaintedCamera({ server, prompt }: PaintedCameraProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const first = useRef(prompt);
  const [stream, setStream] = useState<MillraceStream | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    // React runs effects twice in development: what the first run started, its cleanup ends.
    const end = new AbortController();
    start(server, first.current, canvas.current, end.signal).then(setStream, (error: Error) => {
      if (!end.signal.aborted) setProblem(error.message);
    });
    return () => end.abort();
  }, [server]);

  useEffect(() => {
    stream?.update({ prompt }).catch((error: Error) => setProblem(error.message));
  }, [stream, prompt]);

  return (
    <figure>
      <canvas ref={canvas} />
      <figcaption role="status">{problem ?? (stream ? 'live' : 'connecting…')}</figcaption>
    </figure>
  );
}

/** Opens the camera and the stream; both end with the signal. */
async function start(
  server: string,
  prompt: string,
  canvas: HTMLCanvasElement | null,
  end: AbortSignal,
): Promise<MillraceStream | null> {
  const camera = await navigator.mediaDevices.getUserMedia({ video: true });
  end.addEventListener('abort', () => camera.getTracks().forEach((track) => track.stop()));
  const stream = await connect(server, { parameters: { prompt } });
  end.addEventListener('abort', () => void stream.close());
  if (end.aborted || !canvas) {
    camera.getTracks().forEach((track) => track.stop());
    await stream.close();
    return null;
  }
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = camera;
  await video.play();
  const source = new VideoSource(stream, video, { mirror: true });
  end.addEventListener('abort', () => source.stop());
  void drawResults(stream, canvas);
  return stream;
}
