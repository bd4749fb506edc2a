/** Keys of the views that are not the waterfall: their own first, then those of the run page that need no tree. */

import { isTyping } from '../../core/keymap';
import { runKey, type RunKeyContext } from './runkeys';

/** They fold and unfold rows, of which these views have none. */
const KEYS_OF_THE_TREE = ['ArrowLeft', 'ArrowRight', 'Enter', 'Backspace'];

/** own: answers whether a key meant something to the view itself. */
export function viewKey(event: KeyboardEvent, own: (key: string, event: KeyboardEvent) => boolean, context: RunKeyContext): void {
  if (isTyping(event) || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest('[role=tab], [role=separator], [role=menu], dialog')) return;
  // A focused button or link keeps the keys that press it.
  if ((event.key === 'Enter' || event.key === ' ') && event.target instanceof Element && event.target.closest('button, a')) return;
  const taken = own(event.key, event) || (!KEYS_OF_THE_TREE.includes(event.key) && runKey(event, context));
  if (taken) event.preventDefault();
}
