import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnCount, columnOf, COLUMNS, columnStatuses, dropAction, shownColumns, touchedColumns } from './board';
import { actionsOf, executors, pauseOrResume, refusalText, retryOrRun, statusWord, TASK_STATUSES, whyText } from './task';
import { formatTicking } from './time';
import { taskOf, tasks } from './taskarbitraries';

describe('the board', () => {
  it('has every status in exactly one column', () => {
    const all = COLUMNS.flatMap((column) => column.statuses);
    expect([...all].sort()).toEqual([...TASK_STATUSES].sort());
  });

  it('shows the columns of the wanted statuses', () => {
    fc.assert(
      fc.property(fc.subarray([...TASK_STATUSES], { minLength: 1 }), (statuses) => {
        const columns = shownColumns(statuses);
        expect(columns.flatMap((column) => columnStatuses(column, statuses)).sort()).toEqual([...statuses].sort());
      }),
    );
    expect(shownColumns([])).toEqual(COLUMNS);
  });

  it('sums what its columns hold', () => {
    const counts = new Map([['assigned', 2], ['in_progress', 3]]);
    expect(columnCount(COLUMNS[2], counts)).toBe(5);
  });

  it('turns a drop into something the task takes, or nothing', () => {
    fc.assert(
      fc.property(tasks, fc.constantFrom(...COLUMNS.map((column) => column.id)), (task, column) => {
        const action = dropAction(task, column);
        if (action !== null) expect(actionsOf(task)).toContain(action);
        if (columnOf(task.status) === column) expect(action).toBeNull();
      }),
    );
    expect(dropAction(taskOf('t', { status: 'failed' }), 'pending')).toBe('retry');
    expect(dropAction(taskOf('t', { status: 'in_progress' }), 'paused')).toBe('pause');
    expect(dropAction(taskOf('t', { status: 'failed' }), 'completed')).toBeNull();
  });

  it('knows which columns changed', () => {
    const moves = [{ from_status: 'pending', to_status: 'assigned' }, { from_status: null, to_status: 'blocked' }];
    expect([...touchedColumns(moves)].sort()).toEqual(['blocked', 'pending', 'running']);
  });
});

describe('actions', () => {
  it('are few enough to name, and at least one for every task that nobody stops', () => {
    fc.assert(fc.property(tasks, (task) => void expect(task.cancel_requested || actionsOf(task).length > 0).toBe(true)));
  });

  it('take back a pause that has been asked for', () => {
    const running = taskOf('t', { status: 'in_progress' });
    expect(pauseOrResume(running)).toBe('pause');
    expect(pauseOrResume({ ...running, pause_requested: true })).toBe('resume');
    expect(pauseOrResume(taskOf('t', { status: 'failed' }))).toBeNull();
  });
});

it('Shift R tries again, or runs', () => {
  expect(retryOrRun(taskOf('t', { status: 'failed' }))).toBe('retry');
  expect(retryOrRun(taskOf('t', { status: 'completed' }))).toBe('run');
  expect(retryOrRun(taskOf('t', { status: 'blocked' }))).toBeNull();
});

it('waits for a time count down, other reasons stay', () => {
  const retry = { code: 'retry', text: 'retry in 8 s' };
  expect(whyText(retry, 5000, formatTicking)).toBe('retry in 5 s');
  expect(whyText(retry, -1, formatTicking)).toBe('retry now');
  expect(whyText(retry, null, formatTicking)).toBe('retry in 8 s');
  expect(whyText({ code: 'no_worker', text: 'no worker' }, 5000, formatTicking)).toBe('no worker');
});

it('tasks it waits for have their name, without their id', () => {
  const text = (of: string, task_id = 'a1') => whyText({ code: 'dependency', text: of, task_id }, null, formatTicking);
  expect(text('waiting for task a1 (Load (EU), in_progress) and 1 more')).toBe('waiting for Load (EU) (in progress) and 1 more');
  expect(text('task a1 (Load), which it depends on, is failed')).toBe('Load, which it depends on, is failed');
  expect(refusalText({ task_id: 'a1', reason: 'task a1 is completed: cancel is not possible' })).toBe('is completed: cancel is not possible');
});

it('executors are named by agents, else by team', () => {
  const agents = [{ status: 'ready', agent: 'a' }, { status: 'ready', agent: 'b' }];
  expect(executors(taskOf('t', { agents }))).toBe('a, b');
  expect(executors(taskOf('t', { agents: agents.slice(0, 1) }))).toBe('a');
  expect(executors(taskOf('t', { team: 'etl' }))).toBe('team etl');
  expect(executors(taskOf('t'))).toBe('any agent');
  expect(statusWord('in_progress')).toBe('in progress');
});
