/** Places a floating panel beside what opened it. */

const GAP = 2;
const MARGIN = 8;

/** Puts a fixed panel below its anchor, or above where there is no room; end: their right edges meet. */
export function placeBeside(panel: HTMLElement, anchor: HTMLElement, align: 'start' | 'end'): void {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = align === 'start' ? box.left : box.right - width;
  const below = innerHeight - box.bottom - GAP - MARGIN;
  const above = box.top - GAP - MARGIN;
  const up = height > below && above > below;
  panel.style.maxHeight = `${Math.max(120, up ? above : below)}px`;
  panel.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN))}px`;
  panel.style.top = up ? `${Math.max(MARGIN, box.top - GAP - Math.min(height, above))}px` : `${box.bottom + GAP}px`;
}
