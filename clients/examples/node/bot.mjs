// Paints what a network camera sees: every second it fetches a snapshot, and writes the painted one to a file.
//   node bot.mjs http://camera.local/snapshot.jpg painted.jpg "oil painting"
import { connect } from '@millrace/client';
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

const [camera, file, prompt = 'oil painting'] = process.argv.slice(2);
if (!camera || !file) {
  console.error('usage: node bot.mjs SNAPSHOT_URL OUTPUT.jpg [PROMPT]');
  process.exit(2);
}
const server = process.env.MILLRACE_URL ?? 'http://127.0.0.1:8420';
const pauseMs = Number(process.env.PAUSE_MS ?? 1000);

const stream = await connect(server, { webSocket: WebSocket, parameters: { prompt } });
process.once('SIGINT', () => void stream.close());
stream.on('reconnecting', (error) => console.error(`reconnecting: ${error.message}`));

while (!stream.closed) {
  const answer = await fetch(camera);
  if (answer.ok) {
    stream.send(new Uint8Array(await answer.arrayBuffer()));
    for await (const frame of stream.frames()) {
      await writeFile(file, frame.data);
      console.log(`frame ${frame.id}: ${Math.round(frame.timings.total)} ms`);
      break;
    }
  } else console.error(`the camera answered ${answer.status}`);
  await sleep(pauseMs);
}
