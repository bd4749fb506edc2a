/** Keys of the run page that concern time. */

import { panAxis, zoomAxis } from '../../core/axis';
import type { RunModel } from '../../state/run/model.svelte';

type Select = (node: number) => void;
type Action = (model: RunModel, select: Select) => void;

const ZOOM_STEP = 0.7;
/** Keys move the window by shares of itself; any width in pixels tells them apart as well. */
const WIDTH = 1000;
let lastFit: { node: number; subtree: boolean } | null = null;

const ACTIONS: Record<string, Action> = {
  w: (model) => zoom(model, ZOOM_STEP),
  s: (model) => zoom(model, 1 / ZOOM_STEP),
  a: (model) => pan(model, -0.15),
  d: (model) => pan(model, 0.15),
  A: (model) => pan(model, -0.6),
  // Shift D is the theme's key everywhere, so the long step to the right is on Shift S beside it.
  S: (model) => pan(model, 0.6),
  f: fit,
  '0': (model) => model.timeline.showWhole(),
  z: (model) => model.timeline.zoomBack(),
  v: (model) => model.timeline.setFraming(!model.timeline.framing),
  i: (model) => model.timeline.toggleFolding(),
  p: (model, select) => select(model.timeline.critical.step(false)),
  P: (model, select) => select(model.timeline.critical.step(true)),
  c: (model) => model.timeline.critical.setOnly(!model.timeline.critical.only),
  '.': (model, select) => select(neighbour(model, 1)),
  ',': (model, select) => select(neighbour(model, -1)),
  r: (model) => model.timeline.measure.markSelection(false),
  m: (model) => model.timeline.measure.markSelection(true),
  M: (model) => model.timeline.measure.pin(model.selectedNode()),
};

/** Carries out a key; answers whether it meant something here. */
export function timeKey(event: KeyboardEvent, model: RunModel, select: Select): boolean {
  if (event.key === 'Escape' && model.timeline.measure.active) {
    model.timeline.measure.clear();
    return true;
  }
  if (!Object.hasOwn(ACTIONS, event.key)) return false;
  ACTIONS[event.key](model, select);
  return true;
}

/** At the selected span where it is on screen, else in the middle. */
function zoom({ timeline, selectedNode, extentOf }: RunModel, factor: number): void {
  const axis = timeline.axis(WIDTH);
  const node = selectedNode();
  const [start, end] = node < 0 ? [axis.view.start, axis.view.end] : extentOf(node);
  const middle = axis.toX((start + end) / 2);
  timeline.setView(zoomAxis(axis, factor, middle > 0 && middle < WIDTH ? middle : WIDTH / 2, timeline.limits()));
}

function pan({ timeline }: RunModel, share: number): void {
  timeline.setView(panAxis(timeline.axis(WIDTH), share * WIDTH, timeline.limits()));
}

/** The selected span fills the window; asked again, its subtree does. */
function fit(model: RunModel): void {
  const node = model.selectedNode();
  const subtree = lastFit?.node === node && !lastFit.subtree;
  lastFit = { node, subtree };
  model.timeline.fit(node, subtree);
}

/** The span before or after the selected one on its level of the tree. */
function neighbour({ tree, selectedNode }: RunModel, by: number): number {
  const node = selectedNode();
  if (!tree || node < 0) return -1;
  for (let place = tree.place[node] + by; place >= 0 && place < tree.nodeCount; place += by) {
    if (tree.depth[tree.preorder[place]] === tree.depth[node]) return tree.preorder[place];
  }
  return -1;
}
