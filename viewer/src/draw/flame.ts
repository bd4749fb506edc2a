/** Paints a flame picture: boxes in the hue of their kind, from the top down. */

import { boxesOf, type Box, type FlameNode, type Layout, type Window } from '../core/flame';
import { changeOf, isDiff } from '../core/flamediff';
import { KIND_GROUPS, kindGroup } from '../core/kinds';
import type { Palette } from './palette';

export interface FlameScene {
  readonly layout: Layout;
  readonly window: Window;
  readonly width: number;
  readonly height: number;
  readonly scrollTop: number;
  readonly rowHeight: number;
  readonly palette: Palette;
  readonly dark: boolean;
  readonly matches: Uint8Array | null;
  /** Nodes of this name are outlined. */
  readonly key: string | null;
  readonly selected: number;
  readonly hovered: number;
}

const EDGE = 3;
const PADDING = 7;
/** Inter at 11 px; a guess that never draws beyond a box, because text is clipped by its length. */
const LETTER = 6.1;
const LEAST_TEXT_PX = 34;
const DIMMED = 0.25;

export function drawFlame(context: CanvasRenderingContext2D, scene: FlameScene): void {
  context.font = `400 11px ${scene.palette.font}`;
  context.textBaseline = 'middle';
  const first = Math.max(0, Math.floor(scene.scrollTop / scene.rowHeight));
  const last = Math.min(scene.layout.levels.length - 1, Math.floor((scene.scrollTop + scene.height) / scene.rowHeight));
  for (let level = first; level <= last; level++) drawLevel(context, scene, level);
}

function drawLevel(context: CanvasRenderingContext2D, scene: FlameScene, level: number): void {
  const top = level * scene.rowHeight - scene.scrollTop;
  for (const box of boxesOf(scene.layout, level, scene.window, scene.width)) {
    const left = Math.max(box.x, 0);
    const shown = { ...box, x: left, width: Math.min(box.x + box.width, scene.width) - left };
    if (box.node < 0) drawMerged(context, scene, shown, top);
    else drawNode(context, scene, shown, top, box.x < 0);
  }
}

function drawMerged(context: CanvasRenderingContext2D, { palette, rowHeight, matches }: FlameScene, box: Box, top: number): void {
  context.globalAlpha = matches ? 0.12 : 0.3;
  context.fillStyle = palette.ink3;
  context.fillRect(box.x, top, Math.max(box.width - 0.5, 0.5), rowHeight - 1);
  context.globalAlpha = 1;
}

function drawNode(context: CanvasRenderingContext2D, scene: FlameScene, box: Box, top: number, cut: boolean): void {
  const { palette, layout, rowHeight } = scene;
  const node = layout.nodes[box.node];
  const { name } = node;
  const light = scene.matches !== null && scene.matches[box.node] === 0 ? DIMMED : 1;
  const [width, height] = [Math.max(box.width - 1, 1), rowHeight - 1];
  context.fillStyle = hueOf(palette, node);
  context.globalAlpha = light * fillOf(scene, box.node);
  context.fillRect(box.x, top, width, height);
  context.globalAlpha = light;
  if (!cut && width > EDGE) context.fillRect(box.x, top, EDGE, height);
  drawName(context, scene, signOf(node) + name, box.x, width, top + height / 2 + 0.5);
  context.globalAlpha = 1;
  if (box.node === scene.selected) outline(context, palette.accent, 2, box.x, top, width, height);
  else if (name === scene.key) outline(context, palette.accent, 1, box.x, top, width, height);
}

/** Changes smaller than this part have no hue. */
const UNCHANGED = 0.02;

/** The kind; in a comparison whether there is more or less of it than before. */
function hueOf(palette: Palette, node: FlameNode): string {
  if (!isDiff(node)) return palette.kinds[KIND_GROUPS.indexOf(kindGroup(node.kind))];
  const change = changeOf(node);
  if (Math.abs(change) < UNCHANGED) return palette.ink3;
  return palette.token(change > 0 ? 'more' : 'less');
}

/** Says what the hue says, for those who do not see it. */
function signOf(node: FlameNode): string {
  if (!isDiff(node) || Math.abs(changeOf(node)) < UNCHANGED) return '';
  return changeOf(node) > 0 ? '▲ ' : '▼ ';
}

// Tints under ink instead of full hues, on which small text would fall below 4.5:1.
function fillOf({ dark, hovered, layout }: FlameScene, node: number): number {
  const shown = layout.nodes[node];
  const strength = isDiff(shown) ? 0.1 + 0.34 * Math.min(1, Math.abs(changeOf(shown)) * 1.6) : 0.28;
  return (node === hovered ? Math.max(strength, 0.5) : strength) + (dark ? 0.06 : 0);
}

function drawName(context: CanvasRenderingContext2D, scene: FlameScene, name: string, x: number, width: number, middle: number): void {
  if (width < LEAST_TEXT_PX) return;
  const most = Math.floor((width - 2 * PADDING) / LETTER);
  context.fillStyle = scene.palette.ink;
  context.fillText(name.length <= most ? name : `${name.slice(0, Math.max(1, most - 1))}…`, x + PADDING, middle);
}

function outline(context: CanvasRenderingContext2D, colour: string, line: number, x: number, top: number, width: number, height: number): void {
  context.strokeStyle = colour;
  context.lineWidth = line;
  context.strokeRect(x + line / 2, top + line / 2, Math.max(width - line, 0.5), height - line);
}
