import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { FileButton } from '../views/file-button.js';
import type { ControlProps } from './control-props.js';
import { smallPicture } from './small-picture.js';

/** A file; what the server calls one; or none. */
export type Picture = Uint8Array<ArrayBuffer> | string | null | undefined;

/** A picture that the user chooses, drops or pastes, with a small view of it. */
export function PictureControl({ id, value, disabled, onChange }: ControlProps<Picture>): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const [over, setOver] = useState(false);
  const view = useView(value);
  const choose = async (file: File | undefined): Promise<void> => {
    if (file === undefined || disabled) return;
    try {
      onChange(await smallPicture(file), true);
      setProblem(undefined);
    } catch {
      setProblem('This browser cannot show that file as a picture.');
    }
  };
  useEffect(() => {
    const onPaste = ({ clipboardData }: ClipboardEvent): void => void choose(clipboardData?.files[0]);
    addEventListener('paste', onPaste);
    return () => removeEventListener('paste', onPaste);
  });
  const isSet = value !== null && value !== undefined;
  return (
    <div
      class="picture"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void choose(event.dataTransfer?.files[0]);
      }}
    >
      {view !== undefined && <img src={view} alt="" data-testid={`${id}-view`} />}
      <FileButton
        class="choose"
        id={id}
        disabled={disabled}
        accept="image/*"
        testId={`${id}-choose`}
        onFile={(file) => void choose(file)}
      >
        {isSet ? 'Change' : 'Choose, drop or paste a picture'}
      </FileButton>
      {isSet && (
        <button
          type="button"
          class="link"
          disabled={disabled}
          data-testid={`${id}-remove`}
          onClick={() => onChange(null, true)}
        >
          Remove
        </button>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** Returns an address of the picture for this page; undefined if its file is not here. */
function useView(value: Picture): string | undefined {
  const [view, setView] = useState<string>();
  useEffect(() => {
    if (!(value instanceof Uint8Array)) return setView(undefined);
    const address = URL.createObjectURL(new Blob([value]));
    setView(address);
    return () => URL.revokeObjectURL(address);
  }, [value]);
  return view;
}
