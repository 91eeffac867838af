import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const parameters = { width: 64, height: 64 };
const boundary = 'form';

/** Asks for an image from noise. */
export async function askForImage(url: string): Promise<Response> {
  return fetch(`${url}/v1/txt2img`, {
    method: 'POST',
    body: JSON.stringify(parameters),
    headers: { 'content-type': 'application/json' },
  });
}

/** Sends a picture as a form, and asks for its image. */
export async function sendPicture(url: string, picture: Uint8Array): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
  form.set('image', new Blob([new Uint8Array(picture)]), 'image.jpg');
  return fetch(`${url}/v1/generate`, { method: 'POST', body: form });
}

/**
 * Takes the only place for images of a server with at most four slots, by a form whose end does not come. The server
 * keeps the place for up to 10 seconds.
 * @returns what gives the place back.
 */
export async function takeImagePlace(url: string): Promise<() => void> {
  for (;;) {
    let refused = false;
    const form = request(`${url}/v1/generate`, {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    });
    form.on('error', () => {}); // It is cut at the end.
    form.on('response', () => (refused = true));
    form.write(`--${boundary}\r\n`);
    await pause(100);
    if ((await askForImage(url)).status === 503 && !refused) return () => void form.destroy();
    // The image that was asked for came first.
    form.destroy();
  }
}
