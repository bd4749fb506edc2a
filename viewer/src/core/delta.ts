/** Differences as text: with a sign that is read before the figure, and as a part of what there was. */

import { formatCost, formatTokens } from './format';
import { formatDuration } from './time';

export type DeltaUnit = 'time' | 'cost' | 'count';

const FORMATS: Record<DeltaUnit, (value: number) => string> = { time: formatDuration, cost: formatCost, count: formatTokens };

/** A figure of a unit: "1.24 s", "$0.0773", "12.4k"; null reads as an en dash. */
export function formatFigure(value: number | null | undefined, unit: DeltaUnit): string {
  if (value == null) return '–';
  return value === 0 && unit === 'time' ? '0' : FORMATS[unit](value);
}

/** "+1.24 s", "−$0.0031", "±0"; null reads as an en dash. */
export function formatDelta(value: number | null | undefined, unit: DeltaUnit): string {
  if (value == null || Number.isNaN(value)) return '–';
  if (value === 0) return '±0';
  const amount = Math.abs(value);
  return `${value > 0 ? '+' : '−'}${unit === 'cost' && amount < 0.0001 ? smallCost(amount) : FORMATS[unit](amount)}`;
}

/** One figure of it: "$0.00004". "Less than" would not go with a sign. */
function smallCost(amount: number): string {
  return `$${amount.toFixed(Math.min(12, Math.ceil(-Math.log10(amount))))}`;
}

/** What b is of a, as a change: "+12 %", "−3.4 %", "×5.2"; empty where there is nothing to divide by. */
export function formatChange(a: number | null | undefined, b: number | null | undefined): string {
  if (a == null || b == null || a <= 0) return '';
  const change = b / a - 1;
  if (change === 0) return '±0 %';
  const sign = change > 0 ? '+' : '−';
  const percent = Math.abs(change) * 100;
  if (percent >= 1_000) return `×${b / a >= 99.5 ? Math.round(b / a).toLocaleString('en-US') : (b / a).toFixed(1)}`;
  if (percent < 0.05) return `${sign}<0.1 %`;
  return `${sign}${percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** True for changes a reader should see first: at least a tenth. */
export function isNotable(a: number | null | undefined, b: number | null | undefined): boolean {
  if (a == null || b == null || a === b) return false;
  return Math.abs(b - a) >= 0.1 * Math.max(Math.abs(a), Math.abs(b));
}
