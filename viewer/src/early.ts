/**
 * Runs before the viewer's own scripts have arrived: asks for those of the page that the address names, and for its data.
 * The build writes the names of scripts into the page's head; under the development server there are none.
 */

import { eventsAddress, PAGE_SIZE, runAddress, runsAddress, spansAddress, SPANS_ACCEPT } from './api/addresses';
import { askAhead } from './api/ahead';
import { parseRoute, pathBelow } from './core/route';
import { parseRunFilters } from './core/runfilters';

const JSON_TYPE = 'application/json';
const route = parseRoute(pathBelow(new URL('./', document.baseURI).pathname, location.pathname) ?? '');

if (route.page === 'run') {
  askAhead(spansAddress(route.runId, true), SPANS_ACCEPT);
  askAhead(runAddress(route.runId, true), JSON_TYPE);
  askAhead(eventsAddress(route.runId, 'checkpoint', null, true), JSON_TYPE);
} else if (route.page === 'runs' && !new URLSearchParams(location.search).has('group')) {
  askAhead(runsAddress(parseRunFilters(location.search), null, PAGE_SIZE, true), JSON_TYPE);
}

const named = document.querySelector<HTMLMetaElement>('meta[name="milepost-scripts"]')?.content ?? '{}';
for (const href of (JSON.parse(named) as Record<string, string[]>)[route.page] ?? []) {
  document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
}
