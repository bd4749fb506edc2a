import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

// As Svelte makes it, less the "svelte-" of each of some ten thousand uses.
const cssHash = ({ hash, css }) => `s${hash(css)}`;

export default { preprocess: vitePreprocess(), compilerOptions: { runes: true, cssHash } };
