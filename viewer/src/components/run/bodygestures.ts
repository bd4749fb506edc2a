/**
 * What a pointer does over the bars: the wheel zooms and pans, two fingers zoom, a drag marks an area, Shift and a click
 * measure a gap, and resting on a row shows what is above it. Clicks without Shift are the rows' own.
 */

import { panAxis, zoomAxis } from '../../core/axis';
import { snapTo } from '../../core/area';
import type { RunModel } from '../../state/run/model.svelte';

export interface BodyGeometry {
  readonly scrollTop: number;
  readonly rowHeight: number;
  readonly width: number;
}

const DRAG_FROM_PX = 4;
const SNAP_PX = 8;
const ZOOM_PER_PX = 0.006;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly row: number;
  readonly node: number;
}

/** Listens until the answer is called. host: holds the rows; canvas: tells where time begins. */
export function followBody(host: HTMLElement, canvas: HTMLCanvasElement, model: RunModel, geometry: () => BodyGeometry): () => void {
  const { timeline } = model;
  const fingers = new Map<number, number>();
  let pressed: Place | null = null;
  let inTime = false;

  function placeOf(event: MouseEvent): Place {
    const box = canvas.getBoundingClientRect();
    const { scrollTop, rowHeight } = geometry();
    const { rows } = model.outline;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = Math.floor((y + scrollTop) / rowHeight);
    return { x, y, row, node: row >= 0 && row < rows.length ? rows[row] : -1 };
  }

  function press(event: PointerEvent): void {
    if (event.pointerType === 'touch') return void fingers.set(event.pointerId, event.clientX);
    const place = placeOf(event);
    inTime = place.x >= 0;
    if (event.button === 0 && !event.shiftKey && place.x >= 0) pressed = place;
  }

  function move(event: PointerEvent): void {
    if (event.pointerType === 'touch') return pinch(event);
    const place = placeOf(event);
    timeline.hovered = place.node;
    if (!pressed) return;
    const far = Math.abs(place.x - pressed.x) > DRAG_FROM_PX || (timeline.measure.drawing && event.buttons === 1);
    if (!far) return;
    host.setPointerCapture(event.pointerId);
    timeline.measure.drawing = true;
    markArea(pressed, place);
  }

  function markArea(from: Place, to: Place): void {
    const { rows } = model.outline;
    const axis = timeline.axis(geometry().width);
    const [first, last] = [from.row, to.row].map((row) => Math.min(Math.max(row, 0), rows.length - 1)).sort((a, b) => a - b);
    const edges = Array.from(rows.subarray(first, last + 1)).flatMap(model.extentOf);
    const [start, end] = [from.x, to.x].map((x) => snapTo(axis.toTime(Math.max(x, 0)), edges, axis, SNAP_PX));
    if (start !== end) timeline.measure.markArea(start, end, [rows[first], rows[last]]);
  }

  function release(event: PointerEvent): void {
    fingers.delete(event.pointerId);
    pressed = null;
    if (!timeline.measure.drawing) return;
    timeline.measure.drawing = false;
    host.addEventListener('click', swallow, { capture: true, once: true });
    setTimeout(() => host.removeEventListener('click', swallow, { capture: true })); // a drag that ends elsewhere clicks nothing
  }

  /** Two fingers that move apart zoom in between them. */
  function pinch(event: PointerEvent): void {
    if (fingers.size !== 2 || !fingers.has(event.pointerId)) return;
    const spread = (xs: number[]) => Math.max(Math.abs(xs[0] - xs[1]), 1);
    const before = spread([...fingers.values()]);
    fingers.set(event.pointerId, event.clientX);
    const xs = [...fingers.values()];
    zoomAround(before / spread(xs), (xs[0] + xs[1]) / 2);
  }

  const zoomAround = (factor: number, clientX: number) => {
    zoomAtPointer(model, factor, clientX - canvas.getBoundingClientRect().left, geometry().width);
  };

  function wheel(event: WheelEvent): void {
    turnWheel(event, model, canvas.getBoundingClientRect().left, geometry().width);
  }

  function measureGap(event: MouseEvent): void {
    const { node, x } = placeOf(event);
    const selected = model.selectedNode();
    if (!event.shiftKey || node < 0 || x < 0 || selected < 0) return;
    event.preventDefault();
    event.stopPropagation();
    if (timeline.measure.anchor < 0) timeline.measure.pin(selected);
    model.select(node);
  }

  const leave = () => (timeline.hovered = -1);
  // Names can be selected as text; what is pressed over bars is no text.
  const selectText = (event: Event) => inTime && event.preventDefault();
  const handlers: [string, (event: never) => void, AddEventListenerOptions?][] = [
    ['pointerdown', press],
    ['pointermove', move],
    ['pointerup', release],
    ['pointercancel', release],
    ['pointerleave', leave],
    ['selectstart', selectText],
    ['click', measureGap, { capture: true }],
    // A listener that may prevent the page's own zoom cannot be passive.
    ['wheel', wheel, { passive: false }],
  ];
  for (const [type, handler, options] of handlers) host.addEventListener(type, handler as EventListener, options);
  return () => {
    for (const [type, handler, options] of handlers) host.removeEventListener(type, handler as EventListener, options);
  };
}

function zoomAtPointer({ timeline }: RunModel, factor: number, x: number, width: number): void {
  timeline.setView(zoomAxis(timeline.axis(width), factor, Math.min(Math.max(x, 0), width), timeline.limits()));
}

/** Ctrl or ⌘ zooms at the pointer, Shift or a sideways wheel pans, a plain wheel is left to the rows. left: where time begins. */
export function turnWheel(event: WheelEvent, model: RunModel, left: number, width: number): void {
  const zoom = event.ctrlKey || event.metaKey;
  const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  if (!zoom && !(event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) return;
  event.preventDefault();
  const { timeline } = model;
  const factor = Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * ZOOM_PER_PX);
  if (zoom) zoomAtPointer(model, factor, event.clientX - left, width);
  else timeline.setView(panAxis(timeline.axis(width), sideways, timeline.limits()));
}

function swallow(event: Event): void {
  event.stopPropagation();
}
