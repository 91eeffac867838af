import type { MillraceStream } from '@millrace/client';
import { signal } from '@preact/signals';

/** Small pictures of what the controls of the model see, by their names: URLs of images. */
export class Previews {
  readonly pictures = signal<Readonly<Record<string, string>>>({});

  /** Shows those that come with the results of a stream. */
  follow(stream: MillraceStream): void {
    stream.on('result', ({ controls }) => {
      if (controls) this.#show(controls);
    });
  }

  clear(): void {
    this.#show({});
  }

  #show(files: Readonly<Record<string, Uint8Array>>): void {
    const before = this.pictures.peek();
    this.pictures.value = Object.fromEntries(
      Object.entries(files).map(([name, file]) => {
        const blob = new Blob([new Uint8Array(file)], { type: 'image/jpeg' });
        return [name, URL.createObjectURL(blob)];
      }),
    );
    for (const url of Object.values(before)) URL.revokeObjectURL(url);
  }
}
