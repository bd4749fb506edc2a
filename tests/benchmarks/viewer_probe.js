// Runs in the page before its own scripts: notes when things first appear, and measures frames while keys are pressed.
'use strict';
(() => {
  const probe = (window.milepostProbe = { seen: {}, longest: 0 });
  const wanted = new Map();

  /** Notes the first frame in which `there()` answers true, in milliseconds after the navigation's start. */
  probe.await = (name, there) => {
    if (wanted.size === 0) requestAnimationFrame(look);
    wanted.set(name, there);
  };

  function look() {
    for (const [name, there] of wanted) {
      if (!there()) continue;
      probe.seen[name] = performance.now();
      wanted.delete(name);
    }
    if (wanted.size > 0) requestAnimationFrame(look); // an idle page must have no frames
  }

  probe.painted = (selector) => {
    const canvas = document.querySelector(selector);
    if (!canvas || canvas.width < 2 || canvas.height < 2) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const columns = new Set();
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) columns.add((i >> 2) % canvas.width);
    return columns.size > canvas.width / 2;
  };

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) probe.longest = Math.max(probe.longest, entry.duration);
  }).observe({ type: 'longtask', buffered: true });

  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const turn = () => new Promise((resolve) => setTimeout(resolve));

  /** Does something in each of `count` frames; answers the frames' lengths and how long the thing itself took. */
  probe.frames = async (count, act) => {
    const lengths = [];
    const costs = [];
    probe.longest = 0;
    let last = await frame();
    for (let i = 0; i < count; i++) {
      const begin = performance.now();
      await act(i);
      await Promise.resolve(); // state changes are carried out in microtasks
      await Promise.resolve();
      costs.push(performance.now() - begin);
      const now = await frame();
      lengths.push(now - last);
      last = now;
    }
    return { lengths, costs, longest: probe.longest };
  };

  probe.key = (key, shiftKey = false) => {
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true }));
  };

  /** How long after `act` the next picture is there: the frame after the one that it changes has begun. */
  probe.repaint = async (act) => {
    await frame();
    await turn();
    const begin = performance.now();
    act();
    await frame();
    await turn();
    return performance.now() - begin;
  };

  /** How long after `act` the condition holds at the beginning of a frame. */
  probe.until = async (act, there, patience = 10_000) => {
    const begin = performance.now();
    act();
    for (;;) {
      const now = await frame();
      if (there()) return performance.now() - begin;
      if (now - begin > patience) throw new Error(`not there after ${patience} ms`);
    }
  };

  /** The panel holds the captured input of the selected row's span, which names it. */
  probe.ownDetail = () => {
    const grid = document.querySelector('[role=treegrid]');
    const row = grid.querySelector('[role=row][aria-selected=true]');
    const id = /[0-9a-f]{16}$/.exec(row?.id ?? '')?.[0];
    return id !== undefined && document.querySelector('[role=tabpanel]')?.textContent.includes(`question of ${id}`);
  };

  /** How long it takes to fetch something and do nothing with it, at best. */
  probe.fetched = async (path) => {
    const times = [];
    for (let i = 0; i < 3; i++) {
      const begin = performance.now();
      const answer = await fetch(path, { headers: { accept: 'application/vnd.apache.arrow.stream, application/json;q=0.5' } });
      await answer.arrayBuffer();
      times.push(performance.now() - begin);
    }
    return Math.min(...times);
  };

  /** Types into the box that searches a run's spans. */
  probe.search = () => {
    const box = document.querySelector('main').querySelector('input[type=search], input[role=combobox]');
    box.value = 'read_file';
    box.dispatchEvent(new InputEvent('input', { bubbles: true }));
  };

  /** What scrolls an element. */
  probe.scrollerOf = (element) => {
    let at = element;
    while (at.parentElement && at.scrollHeight <= at.clientHeight + 1) at = at.parentElement;
    return at;
  };

  probe.settle = async () => {
    for (let i = 0; i < 10; i++) await frame();
  };
})();
