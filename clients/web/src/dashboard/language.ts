/**
 * Sets the browser's language to one that its Intl accepts. A browser without a locale (LANG=C, as in kiosks and
 * containers) reports en-US@posix, which uPlot passes to Intl when it is loaded; Intl would throw.
 */
export function settleLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en' });
  }
}
