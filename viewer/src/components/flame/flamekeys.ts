/** Keys of the flame page. */

import { copyLink } from '../compare/comparekeys';

export interface FlameActions {
  walk(key: 'up' | 'down' | 'left' | 'right'): void;
  /** Makes the selected node the whole picture. */
  focus(): void;
  leaveFocus(): void;
  fit(): void;
  zoom(factor: number): void;
  pan(part: number): void;
  whole(): void;
  stepBack(): void;
}

const ZOOM_STEP = 0.7;

const ACTIONS: Record<string, (actions: FlameActions) => void> = {
  ArrowUp: ({ walk }) => walk('up'),
  ArrowDown: ({ walk }) => walk('down'),
  ArrowLeft: ({ walk }) => walk('left'),
  ArrowRight: ({ walk }) => walk('right'),
  Enter: ({ focus }) => focus(),
  Backspace: ({ leaveFocus }) => leaveFocus(),
  f: ({ fit }) => fit(),
  w: ({ zoom }) => zoom(ZOOM_STEP),
  s: ({ zoom }) => zoom(1 / ZOOM_STEP),
  a: ({ pan }) => pan(-0.15),
  d: ({ pan }) => pan(0.15),
  '0': ({ whole }) => whole(),
  y: () => void copyLink(),
  '/': () => document.querySelector<HTMLInputElement>('[data-search]')?.focus(),
  Escape: ({ stepBack }) => stepBack(),
};

/** Carries out a key; answers whether it meant something here. */
export function flameKey(event: KeyboardEvent, actions: FlameActions): boolean {
  if (!Object.hasOwn(ACTIONS, event.key)) return false;
  ACTIONS[event.key](actions);
  return true;
}
