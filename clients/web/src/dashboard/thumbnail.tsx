import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Feed } from './feed.js';

/** The last picture of a session, fetched again with each update of the overview. */
export function Thumbnail({ feed, id }: { readonly feed: Feed; readonly id: string }): JSX.Element {
  const url = useSignal('');
  const time = feed.overview.value?.time;
  useEffect(() => {
    // An <img> with this address would not send the token.
    const load = async (): Promise<void> => {
      const response = await feed.request(`v1/admin/sessions/${encodeURIComponent(id)}/picture`);
      if (!response.ok) return;
      URL.revokeObjectURL(url.peek());
      url.value = URL.createObjectURL(await response.blob());
    };
    load().catch(() => {});
  }, [feed, id, time, url]);
  useEffect(() => () => URL.revokeObjectURL(url.peek()), [url]);
  return url.value === '' ? (
    <span class="thumbnail" />
  ) : (
    <img class="thumbnail" src={url.value} alt="Last picture of the session" data-testid="thumbnail" />
  );
}
