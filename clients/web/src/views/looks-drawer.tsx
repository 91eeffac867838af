import type { Look } from '@millrace/client';
import { longestLookName } from '@millrace/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { download } from '../studio/download.js';
import type { Studio } from '../studio/studio.js';
import { FileButton } from './file-button.js';
import { icons } from './icons.js';
import { CrossButton } from './cross-button.js';
import { SmallButton } from './small-button.js';

/** Saved looks, and how to share and record what is shown. */
export function LooksDrawer({ studio }: { readonly studio: Studio }): JSX.Element {
  const { archive } = studio;
  const looks = archive.looks.all.value;
  return (
    <>
      <div class="row">
        <SmallButton testId="save-look" onClick={() => archive.saveLook()}>
          Save this look
        </SmallButton>
        <CopyLinkButton studio={studio} />
        <FileButton
          class="small-button"
          accept=".json,image/png"
          testId="open-looks-file"
          onFile={(file) => void archive.open(file)}
        >
          Open a file
        </FileButton>
        <SmallButton
          disabled={looks.length === 0}
          testId="save-looks-file"
          onClick={() => download(archive.looks.toFile(), 'json')}
        >
          Save all to a file
        </SmallButton>
      </div>
      {looks.length === 0 && (
        <p class="quiet">
          A look is everything that is set: prompt, seed, steps and all the rest. Saved ones stay in this
          browser; keys 1 to 9 recall them.
        </p>
      )}
      <ul class="looks">
        {looks.map((look, i) => (
          <LookRow key={look.name} look={look} number={i + 1} studio={studio} />
        ))}
      </ul>
      <p class="quiet">
        {looks.length > 0 && 'A look is used by a click on its picture. '}A picture that you save has its look
        in it: drop it on this page to load it. A video that you drop plays.
      </p>
      <label class="row">
        <input
          type="checkbox"
          role="switch"
          checked={archive.withSound.value}
          data-testid="with-sound"
          onChange={({ currentTarget }) => (archive.withSound.value = currentTarget.checked)}
        />
        Record with the microphone
      </label>
    </>
  );
}

interface LookRowProps {
  readonly look: Look;
  readonly number: number;
  readonly studio: Studio;
}

function LookRow({ look, number, studio }: LookRowProps): JSX.Element {
  const { archive } = studio;
  return (
    <li class="look" data-testid="look">
      <button
        type="button"
        class="look-picture"
        aria-label={`Use ${look.name}`}
        title={number <= 9 ? `Use (${number})` : 'Use'}
        data-testid="use-look"
        onClick={() => archive.apply(look)}
      >
        {look.picture === undefined ? (
          icons.looks
        ) : (
          <img src={`data:image/jpeg;base64,${look.picture}`} alt="" />
        )}
      </button>
      {number <= 9 && <kbd aria-hidden="true">{number}</kbd>}
      <input
        type="text"
        class="field grow"
        aria-label="Name of the look"
        maxLength={longestLookName}
        value={look.name}
        data-testid="look-name"
        onChange={({ currentTarget }) => archive.looks.rename(look, currentTarget.value)}
      />
      <CrossButton
        name={`Remove ${look.name}`}
        testId="remove-look"
        onClick={() => archive.looks.remove(look)}
      />
    </li>
  );
}

/** Copies the address of the page, which has what is set. */
function CopyLinkButton({ studio }: { readonly studio: Studio }): JSX.Element {
  const [done, setDone] = useState<string>();
  const copy = async (): Promise<void> => {
    const link = studio.memory.peek()?.link ?? location.href;
    try {
      await navigator.clipboard.writeText(link);
      setDone('Link copied');
    } catch {
      // Without HTTPS, pages may not copy: the address bar has it.
      setDone('Copy the address above');
    }
  };
  return (
    <SmallButton testId="copy-link" onClick={() => void copy()}>
      <span role="status">{done ?? 'Copy a link'}</span>
    </SmallButton>
  );
}
