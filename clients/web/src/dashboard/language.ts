/**
 * Gives the browser a language that its own Intl takes. One without a locale (LANG=C, as in kiosks and containers)
 * calls its language en-US@posix, and uPlot asks Intl for that as it is loaded.
 */
export function settleLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en' });
  }
}
