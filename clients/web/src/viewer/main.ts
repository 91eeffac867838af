import '../styles/viewer.css';
import type { ErrorAnswer } from '@millrace/protocol';
import { picturesIn } from './pictures.js';

// The page that a link for viewers leads to: the pictures, and words only while there are none.

const pauseMs = 3000;
const options = new URLSearchParams(location.search);
const session = location.pathname.split('/').at(-1) ?? '';
const query = new URLSearchParams({ key: options.get('key') ?? '' });
const address = new URL(`../v1/sessions/${session}/mjpeg?${query.toString()}`, location.href);

const canvas = element('picture', HTMLCanvasElement);
const message = element('message', HTMLElement);
const context = canvas.getContext('2d', { alpha: false });
const page = document.documentElement;
page.dataset['fit'] = options.get('fit') === 'cover' ? 'cover' : 'contain';
page.dataset['mirror'] = String(options.has('mirror'));

addEventListener('keydown', ({ key }) => {
  if (key === 'f') void toggleFullScreen();
});
canvas.addEventListener('dblclick', () => void toggleFullScreen());
void watch();

/** Shows the pictures, and tries again when they end, unless the link is invalid. */
async function watch(): Promise<void> {
  for (;;) {
    const problem = await showPictures().catch(() => 'The server cannot be reached. Trying again.');
    page.dataset['flowing'] = 'false';
    message.textContent = problem ?? 'The link is damaged or has expired. Ask for a new one.';
    if (problem === null) return;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Shows pictures until they end. @returns why there are none now; null if there will be none by this link. */
async function showPictures(): Promise<string | null> {
  const response = await fetch(address, { cache: 'no-store' });
  if (!response.ok || response.body === null) return refusal(response);
  for await (const picture of picturesIn(response.body)) {
    const bitmap = await createImageBitmap(new Blob([picture], { type: 'image/jpeg' }));
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    context?.drawImage(bitmap, 0, 0);
    bitmap.close();
    page.dataset['flowing'] = 'true';
    message.textContent = '';
  }
  return 'The session has ended, or its server was restarted.';
}

async function refusal(response: Response): Promise<string | null> {
  const { error } = (await response.json()) as ErrorAnswer;
  switch (error.code) {
    case 'invalid_link':
      return null;
    case 'not_found':
      return 'The session has ended. If it continues, it appears here.';
    case 'too_many_viewers':
      return 'The limit of viewers is reached. Trying again.';
    default:
      return error.message;
  }
}

async function toggleFullScreen(): Promise<void> {
  await (document.fullscreenElement === null ? page.requestFullscreen() : document.exitFullscreen());
}

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}
