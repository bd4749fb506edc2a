/** Keys of a comparison of two runs. */

import { panBy, zoomAt, type Viewport } from '../../core/viewport';
import { announcer } from '../../state/announcer.svelte';
import { copyText } from '../../state/clipboard';

export interface RowActions {
  /** Moves the selection by so many rows on screen; Infinity: to the last. */
  move(by: number): void;
  step(backwards: boolean): void;
  expand(): void;
  collapse(): void;
  /** null: all of both runs. */
  setView(view: Viewport | null): void;
  readonly view: Viewport;
  readonly whole: Viewport;
  fit(): void;
  toggleFrame(): void;
  swap(): void;
  close(): void;
  /** Rows on one screen. */
  readonly page: number;
}

const ZOOM_STEP = 0.7;

const ACTIONS: Record<string, (actions: RowActions) => void> = {
  ArrowDown: ({ move }) => move(1),
  ArrowUp: ({ move }) => move(-1),
  j: ({ move }) => move(1),
  k: ({ move }) => move(-1),
  PageDown: ({ move, page }) => move(page),
  PageUp: ({ move, page }) => move(-page),
  Home: ({ move }) => move(-Infinity),
  End: ({ move }) => move(Infinity),
  ArrowRight: ({ expand }) => expand(),
  ArrowLeft: ({ collapse }) => collapse(),
  n: ({ step }) => step(false),
  N: ({ step }) => step(true),
  X: ({ swap }) => swap(),
  w: (actions) => zoom(actions, ZOOM_STEP),
  s: (actions) => zoom(actions, 1 / ZOOM_STEP),
  a: (actions) => pan(actions, -0.15),
  d: (actions) => pan(actions, 0.15),
  A: (actions) => pan(actions, -0.6),
  // As on a run's page: Shift D is the theme's key everywhere.
  S: (actions) => pan(actions, 0.6),
  f: ({ fit }) => fit(),
  v: ({ toggleFrame }) => toggleFrame(),
  '0': ({ setView }) => setView(null),
  y: () => void copyLink(),
  Escape: ({ close }) => close(),
};

/** Carries out a key; answers whether it meant something here. */
export function compareKey(event: KeyboardEvent, actions: RowActions): boolean {
  if (!Object.hasOwn(ACTIONS, event.key)) return false;
  ACTIONS[event.key](actions);
  return true;
}

function zoom({ view, whole, setView }: RowActions, factor: number): void {
  setView(zoomAt(view, factor, (view.start + view.end) / 2, whole));
}

function pan({ view, whole, setView }: RowActions, part: number): void {
  setView(panBy(view, (view.end - view.start) * part, whole));
}

/** Copies the address, which says all that is on screen. */
export async function copyLink(): Promise<void> {
  await copyText(location.href);
  announcer.say('link copied');
}
