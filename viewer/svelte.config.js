import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

const LEAST_LENGTH = 4;
const styleOf = new Map();

/** A class of few letters for each component's style, in place of Svelte's 14 at each of some ten thousand uses. */
function cssHash({ hash, css }) {
  const full = hash(css);
  for (let length = LEAST_LENGTH; ; length++) {
    const name = `_${full.slice(-length)}`;
    if (!styleOf.has(name)) styleOf.set(name, css);
    if (styleOf.get(name) === css || length >= full.length) return name;
  }
}

export default { preprocess: vitePreprocess(), compilerOptions: { runes: true, cssHash } };
