// Runs before the first paint so that a dark page never flashes white; src/state/settings.svelte.ts takes over.
(function () {
  var choice = 'system';
  try {
    choice = localStorage.getItem('milepost.theme') || 'system';
  } catch (e) {
    choice = 'system'; // storage may be switched off
  }
  var dark = choice === 'dark' || (choice === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
