/**
 * Runs before the viewer's own scripts have arrived: asks for those of the page that the address names, and for its data.
 * The build writes the names of scripts into the page's head; under the development server there are none.
 */

import {
  AGENTS_ADDRESSES, comparisonAddress, countsAddress, eventsAddress, PAGE_SIZE, runAddress, runsAddress, schedulesAddress, sessionsAddress,
  spansAddress, SPANS_ACCEPT, tasksAddress,
} from './api/addresses';
import { askAhead } from './api/ahead';
import { parseRoute, pathBelow } from './core/route';
import { DEFAULT_SESSION_SORT, parseRunFilters } from './core/runfilters';

const JSON_TYPE = 'application/json';
const route = parseRoute(pathBelow(new URL('./', document.baseURI).pathname, location.pathname) ?? '');

const params = new URLSearchParams(location.search);
const ask = (...addresses: string[]) => addresses.forEach((address) => askAhead(address, JSON_TYPE));

function askForRuns(): void {
  const filters = parseRunFilters(location.search);
  if (params.get('group') === 'session') ask(sessionsAddress(filters, params.get('session_sort') ?? DEFAULT_SESSION_SORT, null));
  else ask(runsAddress(filters, null, PAGE_SIZE, true));
}

/** What is left of a page's parameters are its filters, in the order of its links. */
function askForTasks(): void {
  const group = params.get('group');
  if (params.get('view') !== 'board') ask(tasksAddress(without('view', 'sort', 'group'), params.get('sort') ?? '-created_at'));
  ask(countsAddress(without('view', 'sort', 'group', 'status'), 'status'));
  if (group) ask(countsAddress(without('view', 'sort', 'group', group), group));
}

function without(...names: string[]): URLSearchParams {
  return new URLSearchParams([...params].filter(([name]) => !names.includes(name)));
}

if (route.page === 'run') {
  askAhead(spansAddress(route.runId, true), SPANS_ACCEPT);
  ask(runAddress(route.runId, true), eventsAddress(route.runId, 'checkpoint', null, true));
} else if (route.page === 'runs') askForRuns();
else if (route.page === 'tasks') askForTasks();
else if (route.page === 'agents') ask(...Object.values(AGENTS_ADDRESSES));
else if (route.page === 'schedules') ask(schedulesAddress(params.get('text') ?? '', null));
else if (route.page === 'compare' && params.get('a') && params.get('b')) ask(comparisonAddress(params.get('a') ?? '', params.get('b') ?? ''));

const named = document.querySelector<HTMLMetaElement>('meta[name="milepost-scripts"]')?.content ?? '{}';
for (const href of (JSON.parse(named) as Record<string, string[]>)[route.page] ?? []) {
  document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
}
