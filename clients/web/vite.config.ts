import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const entry = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Writes compressed copies of texts beside them, which the server sends to browsers that take them. */
function compress(): Plugin {
  return {
    name: 'compress',
    writeBundle({ dir = '' }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(?:js|css|html)$/.test(name)) continue;
        const path = join(dir, name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(bytes));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [compress()],
  // Relative addresses: the pages may be under a path of a proxy.
  base: './',
  build: {
    target: 'es2022',
    // The page's Content-Security-Policy allows fonts from its own host only, and none from data: URLs.
    assetsInlineLimit: 0,
    sourcemap: false,
    rolldownOptions: {
      checks: { bundlerTimings: false },
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
