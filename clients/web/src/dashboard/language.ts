/**
 * A browser without a locale (LANG=C, as in kiosks and containers) calls its language en-US@posix, which its own Intl
 * refuses, and uPlot formats its numbers by that name: it then has to have another before uPlot is loaded.
 */
try {
  new Intl.Locale(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en' });
}
export {};
