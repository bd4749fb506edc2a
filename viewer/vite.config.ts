import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const COLLECTOR = process.env.MILEPOST_COLLECTOR ?? 'http://127.0.0.1:4600';

export default defineConfig({
  // Relative addresses and the <base> element the collector writes let one build live under any path prefix.
  base: './',
  plugins: [
    svelte(),
    {
      name: 'base-element-for-development',
      apply: 'serve',
      transformIndexHtml: () => [{ tag: 'base', attrs: { href: '/' }, injectTo: 'head-prepend' }],
    },
  ],
  build: {
    outDir: '../collector/milepost_collector/static',
    emptyOutDir: true,
    assetsInlineLimit: 0, // data: addresses would need a wider content security policy
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': COLLECTOR, '/healthz': COLLECTOR } },
  // A busy machine is slow, not wrong.
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
});
