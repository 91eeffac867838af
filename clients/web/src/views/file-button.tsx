import type { ComponentChildren, JSX } from 'preact';
import { useRef } from 'preact/hooks';

interface FileButtonProps {
  readonly class: string;
  readonly pressed?: boolean;
  readonly testId?: string;
  readonly children: ComponentChildren;
  readonly onFile: (file: File) => void;
}

/** A button that asks for a video file. */
export function FileButton({ class: name, pressed, testId, children, onFile }: FileButtonProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class={name}
        aria-pressed={pressed}
        data-testid={testId}
        onClick={() => input.current?.click()}
      >
        {children}
      </button>
      <input
        ref={input}
        type="file"
        accept="video/*"
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
