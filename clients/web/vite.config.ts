import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const entry = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  // Relative addresses: the pages may be under a path of a proxy.
  base: './',
  build: {
    target: 'es2022',
    // The page's Content-Security-Policy allows fonts from its own host only, and none from data: URLs.
    assetsInlineLimit: 0,
    sourcemap: false,
    rolldownOptions: {
      input: {
        index: entry('index.html'),
        dashboard: entry('dashboard.html'),
        view: entry('view/index.html'),
      },
    },
  },
  // `npx vite clients/web` forwards requests to a server on the default port.
  server: {
    proxy: { '/v1': { target: 'http://127.0.0.1:8420', ws: true }, '/readyz': 'http://127.0.0.1:8420' },
  },
});
