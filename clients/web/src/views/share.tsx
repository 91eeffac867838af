import type { ViewerUrls } from '@millrace/client';
import { MillraceError } from '@millrace/client';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { counted } from '../studio/counts.js';
import type { Studio } from '../studio/studio.js';
import { inWords } from '../studio/words.js';
import { Tool } from './tool.js';

/** Makes links for viewers: a page for people, with a QR code, and an address for programs. */
export function Share({ studio }: { readonly studio: Studio }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const links = useSignal<ViewerUrls>();
  const problem = useSignal<string>();
  const open = async (): Promise<void> => {
    links.value = undefined;
    problem.value = undefined;
    dialog.current?.showModal();
    try {
      links.value = await studio.viewerLinks();
    } catch (error) {
      problem.value = error instanceof MillraceError ? inWords(error) : 'No link could be made.';
    }
  };
  return (
    <>
      <Tool
        name="Let others watch"
        icon="share"
        testId="share"
        disabled={!studio.flowing.value}
        onClick={() => void open()}
      />
      <dialog ref={dialog} class="share" aria-labelledby="share-title">
        <h2 id="share-title">Let others watch</h2>
        {problem.value !== undefined && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        {links.value && <Links links={links.value} />}
        <button type="button" class="retry" onClick={() => dialog.current?.close()} data-testid="share-close">
          Close
        </button>
      </dialog>
    </>
  );
}

function Links({ links: { view, mjpeg, expiresSeconds } }: { readonly links: ViewerUrls }): JSX.Element {
  const here = /^(localhost|127\..+|\[::1\])$/.test(view.hostname);
  return (
    <>
      <QrCode text={view.href} />
      {here && (
        <p class="quiet">
          This address works on this machine only. For phones, start the server with{' '}
          <code>--host 0.0.0.0</code> and <code>--api-keys</code>, and open this page by the machine’s name.
        </p>
      )}
      <Address name="A page for people" address={view.href} testId="view-link" />
      <Address name="Motion JPEG for OBS, VLC and other programs" address={mjpeg.href} testId="mjpeg-link" />
      <p class="quiet">
        Can be opened for {validity(expiresSeconds)}, by everybody who has it, while you stream.
      </p>
    </>
  );
}

/** Returns a duration in the unit that fits. */
function validity(seconds: number): string {
  return seconds < 120 ? counted(Math.round(seconds), 'second') : `${Math.round(seconds / 60)} minutes`;
}

interface AddressProps {
  readonly name: string;
  readonly address: string;
  readonly testId: string;
}

function Address({ name, address, testId }: AddressProps): JSX.Element {
  const copied = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = async (): Promise<void> => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(address);
      copied.value = true;
    } catch {
      // Without HTTPS, pages may not copy; the text is selected then.
    }
  };
  return (
    <div class="address">
      <label for={testId}>{name}</label>
      <input id={testId} ref={field} type="text" readOnly value={address} data-testid={testId} />
      <button type="button" class="retry" onClick={() => void copy()}>
        {copied.value ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}

/** A QR code, for phones. */
function QrCode({ text }: { readonly text: string }): JSX.Element {
  const path = useSignal('');
  const size = useSignal(1);
  useEffect(() => {
    const draw = async (): Promise<void> => {
      const { encode } = await import('uqr');
      const code = encode(text);
      size.value = code.size;
      path.value = code.data
        .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
        .join('');
    };
    void draw();
  }, [text, path, size]);
  return (
    <svg class="qr" viewBox={`0 0 ${size.value} ${size.value}`} role="img" aria-label="QR code of the page">
      <path d={path.value} />
    </svg>
  );
}
