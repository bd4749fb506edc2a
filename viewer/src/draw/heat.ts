/** Paints the cells of a heat map: one hue, stronger where there is more. */

import type { HeatData } from '../core/chartspec';
import { mixed } from '../core/colour';

/** Least strength of a cell that has a value, so that little differs from nothing. */
const FAINT = 0.12;

export function paintHeat(context: CanvasRenderingContext2D, heat: HeatData, width: number, height: number, colour: string, behind: string): void {
  const [cellWidth, cellHeight] = [width / heat.xs.length, height / heat.ys.length];
  const gap = Math.min(cellWidth, cellHeight) > 4 ? 1 : 0;
  heat.cells.forEach((row, i) =>
    row.forEach((value, j) => {
      if (value === null) return;
      context.fillStyle = mixed(colour, behind, FAINT + (1 - FAINT) * (heat.most > 0 ? Math.max(value, 0) / heat.most : 0));
      context.fillRect(j * cellWidth, i * cellHeight, cellWidth - gap, cellHeight - gap);
    }),
  );
}
