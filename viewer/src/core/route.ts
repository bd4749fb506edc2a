/** Which page an address names, and how addresses are written. All are relative to the page's base. */

export type Route =
  | { page: 'runs' }
  | { page: 'run'; runId: string }
  | { page: 'compare' }
  | { page: 'flame' }
  | { page: 'insights'; board: string | null }
  | { page: 'sql' }
  | { page: 'settings' }
  | { page: 'tasks' }
  | { page: 'task'; taskId: string }
  | { page: 'schedules' }
  | { page: 'schedule'; scheduleId: string }
  | { page: 'triggers' }
  | { page: 'trigger'; triggerId: string }
  | { page: 'agents' }
  | { page: 'budgets' }
  | { page: 'approvals'; askId: string | null }
  | { page: 'webhooks' }
  | { page: 'webhook'; webhookId: string }
  | { page: 'missing'; path: string };

const PLAIN_PAGES = ['compare', 'flame', 'sql', 'settings', 'tasks', 'schedules', 'triggers', 'agents', 'budgets', 'webhooks'] as const;

/** Tells pages of the same kind apart: what one shows that another one does not. */
export function routeKey(route: Route): string {
  if (route.page === 'run') return `run ${route.runId}`;
  if (route.page === 'task') return `task ${route.taskId}`;
  if (route.page === 'webhook') return `webhook ${route.webhookId}`;
  if (route.page === 'trigger') return `trigger ${route.triggerId}`;
  return route.page === 'schedule' ? `schedule ${route.scheduleId}` : route.page;
}

/** path: what follows the base, without a leading slash. */
export function parseRoute(path: string): Route {
  const clean = path.replace(/\/+$/, '');
  if (clean === '' || clean === 'runs' || clean === 'index.html') return { page: 'runs' };
  const plain = PLAIN_PAGES.find((page) => page === clean);
  if (plain) return { page: plain };
  if (clean === 'insights') return { page: 'insights', board: null };
  if (clean === 'approvals') return { page: 'approvals', askId: null };
  const [, folder, name] = /^(runs|tasks|schedules|triggers|insights|approvals|webhooks)\/([^/]+)$/.exec(clean) ?? [];
  const id = name && decodeURIComponentSafely(name);
  if (folder === 'runs') return { page: 'run', runId: id };
  if (folder === 'tasks') return { page: 'task', taskId: id };
  if (folder === 'approvals') return { page: 'approvals', askId: id };
  if (folder === 'insights') return { page: 'insights', board: id };
  if (folder === 'webhooks') return { page: 'webhook', webhookId: id };
  if (folder === 'triggers') return { page: 'trigger', triggerId: id };
  if (folder === 'schedules') return { page: 'schedule', scheduleId: id };
  return { page: 'missing', path };
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % is an id that does not exist, not a crash
  }
}

export function runPath(runId: string): string {
  return `runs/${encodeURIComponent(runId)}`;
}

export function taskPath(taskId: string): string {
  return `tasks/${encodeURIComponent(taskId)}`;
}

export function schedulePath(scheduleId: string): string {
  return `schedules/${encodeURIComponent(scheduleId)}`;
}

export function webhookPath(webhookId: string): string {
  return `webhooks/${encodeURIComponent(webhookId)}`;
}

export function triggerPath(triggerId: string): string {
  return `triggers/${encodeURIComponent(triggerId)}`;
}

export function askPath(askId: string | null): string {
  return askId === null ? 'approvals' : `approvals/${encodeURIComponent(askId)}`;
}

/** The part of an address below the base; null when the address lies outside it. */
export function pathBelow(base: string, pathname: string): string | null {
  return pathname.startsWith(base) ? pathname.slice(base.length) : null;
}
