import type { ComponentChildren, JSX } from 'preact';
import { useRef } from 'preact/hooks';

interface FileButtonProps {
  readonly class: string;
  readonly pressed?: boolean;
  readonly testId?: string;
  readonly id?: string;
  readonly disabled?: boolean;
  /** The files that it asks for; by default videos. */
  readonly accept?: string;
  readonly children: ComponentChildren;
  readonly onFile: (file: File) => void;
}

/** A button that asks for a file. */
export function FileButton(props: FileButtonProps): JSX.Element {
  const { class: name, pressed, testId, id, disabled, accept = 'video/*', children, onFile } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        id={id}
        class={name}
        disabled={disabled}
        aria-pressed={pressed}
        data-testid={testId}
        onClick={() => input.current?.click()}
      >
        {children}
      </button>
      <input
        ref={input}
        type="file"
        accept={accept}
        hidden
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          currentTarget.value = '';
          if (file !== undefined) onFile(file);
        }}
      />
    </>
  );
}
