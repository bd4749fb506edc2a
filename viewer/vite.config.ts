import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const COLLECTOR = process.env.MILEPOST_COLLECTOR ?? 'http://127.0.0.1:4600';

/** Pages that are asked for before the first script has run, and the module of each. */
const EARLY_PAGES = { runs: 'RunsPage', run: 'RunPage', tasks: 'TasksPage', task: 'TaskPage', sql: 'SqlPage', insights: 'InsightsPage' };

type Graph = { getModuleInfo(id: string): { importedIds: readonly string[] } | null };

let known: Set<string> | undefined;

/** The modules of the run list and the run, which readers open first: they must not wait for what only others need. */
function firstPages(graph: Graph): Set<string> {
  if (known) return known;
  known = new Set(['RunsPage', 'RunPage'].map((name) => resolve(import.meta.dirname, `src/views/${name}.svelte`)));
  for (const id of known) graph.getModuleInfo(id)?.importedIds.forEach((one) => known?.add(one));
  return known;
}

/** Writes into the page which scripts each page needs, and the script that asks for them before all others. */
function earlyScripts(): Plugin {
  return {
    name: 'early-scripts',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
        const byFile = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
        const needs = (file: string, found = new Set<string>()): Set<string> => {
          if (!found.has(file)) [...(byFile.get(found.add(file) && file)?.imports ?? [])].forEach((one) => needs(one, found));
          return found;
        };
        const shell = needs(chunks.find((chunk) => chunk.name === 'index')?.fileName ?? '');
        const scripts = Object.entries(EARLY_PAGES).map(([page, name]) => {
          const chunk = chunks.find((one) => one.moduleIds.some((id) => id.endsWith(`/views/${name}.svelte`)));
          return [page, [...needs(chunk?.fileName ?? '')].filter((file) => !shell.has(file)).map((file) => `./${file}`)];
        });
        const early = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/src/early.ts'));
        const font = Object.values(bundle).find((file) => /inter-latin-(?!ext).*\.woff2$/.test(file.fileName));
        if (!font) throw new Error('no font to preload: is it called inter-latin.woff2 no longer?');
        return [
          { tag: 'meta', attrs: { name: 'milepost-scripts', content: JSON.stringify(Object.fromEntries(scripts)) }, injectTo: 'head-prepend' },
          { tag: 'script', attrs: { type: 'module', async: true, src: `./${early?.fileName}` }, injectTo: 'head-prepend' },
          // Were it not there in time, the first text would be laid out twice, and first look for a font of the system's.
          { tag: 'link', attrs: { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: '', href: `./${font.fileName}` }, injectTo: 'head-prepend' },
        ];
      },
    },
  };
}

export default defineConfig({
  // Relative addresses and the <base> element the collector writes let one build live under any path prefix.
  base: './',
  plugins: [
    svelte(),
    earlyScripts(),
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
    cssCodeSplit: false,
    rolldownOptions: {
      input: { index: 'index.html', early: 'src/early.ts' },
      output: {
        // Few files: each costs a request of the six that a browser has under way, and a turn of the collector.
        codeSplitting: {
          groups: [
            { name: 'early', test: /src[\/](early|api[\/](ahead|addresses)|core[\/](route|runfilters))\.ts/, priority: 9 },
            { name: 'shell', tags: ['$initial'], priority: 8 },
            { name: 'arrow', test: /flechette/, priority: 7 },
            { name: (id, context) => (firstPages(context).has(id) ? 'common' : null), debugName: 'common', minShareCount: 3, priority: 6 },
            { name: 'run', test: /RunPage/, priority: 5 },
            { name: 'runs', test: /RunsPage/, priority: 5 },
            { name: 'charts', test: /uplot|components[\\/]charts[\\/](Chart|plot)/, priority: 4 },
            { name: 'shared', minShareCount: 3, priority: 3 },
            { name: 'detail', test: /components[\\/]detail|Run(Tasks|Judgements|Menus)\.svelte/, priority: 2 },
          ],
        },
      },
    },
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': COLLECTOR, '/healthz': COLLECTOR } },
  // A busy machine is slow, not wrong.
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
});
