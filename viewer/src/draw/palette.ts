/** The colours of canvases, read from the style sheet so that they follow the theme. */

import { KIND_GROUPS } from '../core/kinds';

export interface Palette {
  /** Of KIND_GROUPS. */
  readonly kinds: readonly string[];
  /** Any other token's colour. */
  readonly token: (name: string) => string;
  readonly bg: string;
  readonly surface: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly ink: string;
  readonly ink2: string;
  readonly ink3: string;
  readonly accent: string;
  readonly accentInk: string;
  readonly error: string;
  readonly warn: string;
  readonly font: string;
  readonly themeVersion: number;
}

let read: Palette | null = null;

/** themeVersion: names the theme the colours belong to, so that a change of theme reads them again. */
export function readPalette(themeVersion: number): Palette {
  // Read once for all canvases: each reading has the browser settle the styles of the whole page.
  if (read?.themeVersion !== themeVersion) read = freshPalette(themeVersion);
  return read;
}

function freshPalette(themeVersion: number): Palette {
  const style = getComputedStyle(document.documentElement);
  const known = new Map<string, string>();
  const token = (name: string) => {
    const value = known.get(name) ?? style.getPropertyValue(`--${name}`).trim();
    known.set(name, value);
    return value;
  };
  return {
    kinds: KIND_GROUPS.map((group) => token(`kind-${group}`)),
    token,
    bg: token('bg'),
    surface: token('surface'),
    line: token('line'),
    lineStrong: token('line-strong'),
    ink: token('ink'),
    ink2: token('ink-2'),
    ink3: token('ink-3'),
    accent: token('accent'),
    accentInk: token('accent-ink'),
    error: token('error'),
    warn: token('warn'),
    font: token('font'),
    themeVersion,
  };
}

/** Sizes a canvas for the screen's pixels and clears it; all drawing then counts in CSS pixels. */
export function prepareCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio || 1;
  const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixelWidth) canvas.width = pixelWidth;
  if (canvas.height !== pixelHeight) canvas.height = pixelHeight;
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}
