import { once } from 'node:events';
import type { EditedPicture, InversionJob, InversionNews } from '../inversion.js';
import { withinTime } from '../within-time.js';
import { startInferenceThread } from './inference-thread.js';

/** Longest wait for the current call when the signal is aborted. */
const stopTimeoutMs = 1200;

/**
 * Edits a picture from its own noise, in a thread of its own.
 * @throws the error of the networks, or an error if the signal is aborted.
 */
export async function invertPicture(
  job: InversionJob,
  onNews: (news: Exclude<InversionNews, { readonly type: 'done' }>) => void,
  signal: AbortSignal,
): Promise<EditedPicture> {
  const worker = startInferenceThread(new URL('../worker/inversion.js', import.meta.url), job);
  let edited: EditedPicture | null = null;
  worker.on('message', (news: InversionNews) => {
    if (news.type === 'done') ({ edited } = news);
    else onNews(news);
  });
  try {
    // Rejects with the error of the thread.
    await once(worker, 'exit', { signal });
  } catch (error) {
    if (signal.aborted) {
      worker.postMessage('stop');
      await withinTime(once(worker, 'exit'), stopTimeoutMs);
      worker.unref();
    }
    throw error;
  }
  if (edited === null) throw new Error('the thread ended without a picture');
  return edited;
}
