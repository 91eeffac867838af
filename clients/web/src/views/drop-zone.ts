import { useEffect } from 'preact/hooks';
import type { Studio } from '../studio/studio.js';

/** Opens files that are dropped anywhere on the page, unless a control there takes them. */
export function useDroppedFiles(studio: Studio): void {
  useEffect(() => {
    const onDragOver = (event: DragEvent): void => event.preventDefault();
    const onDrop = (event: DragEvent): void => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      const [file] = event.dataTransfer?.files ?? [];
      if (file) void studio.archive.open(file);
    };
    addEventListener('dragover', onDragOver);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onDragOver);
      removeEventListener('drop', onDrop);
    };
  }, [studio]);
}
