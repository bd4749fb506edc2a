/** Figures as text: cost, tokens, counts and sizes. Null and undefined are "not known" and read as an en dash. */

const NOT_KNOWN = '–';
type Figure = number | null | undefined;

/**
 * "$0", "$0.0773", "$1.24", "$201.11", "$12,345.60": four decimals below a dollar and two above, so that figures in a
 * column can be compared by eye. Amounts below a hundredth of a cent read "<$0.0001".
 */
export function formatCost(usd: Figure): string {
  if (usd == null || Number.isNaN(usd)) return NOT_KNOWN;
  if (usd < 0) return `−${formatCost(-usd)}`;
  if (usd === 0) return '$0';
  if (usd < 0.0001) return '<$0.0001';
  if (usd < 0.99995) return `$${usd.toFixed(4)}`;
  return `$${separated(usd.toFixed(2))}`;
}

/** As formatCost, with small amounts in four figures: "$0.00004321". For where two costs are compared. */
export function formatExactCost(usd: Figure): string {
  if (usd == null || Number.isNaN(usd) || usd <= 0 || usd >= 0.1) return formatCost(usd);
  const decimals = Math.min(20, 3 - Math.floor(Math.log10(usd)));
  return `$${usd.toFixed(decimals).replace(/0+$/, '')}`;
}

/** "950", "12.4k", "1.20M"; the exact figure belongs in a title beside it. */
export function formatTokens(count: Figure): string {
  if (count == null || Number.isNaN(count)) return NOT_KNOWN;
  if (count < 1000) return String(count);
  if (count < 99_950) return `${(count / 1e3).toFixed(1)}k`;
  if (count < 999_500) return `${Math.round(count / 1e3)}k`;
  return count < 999_500_000 ? `${(count / 1e6).toPrecision(3)}M` : `${(count / 1e9).toPrecision(3)}B`;
}

/** Thousands separated: "100,000". */
export function formatCount(count: Figure): string {
  if (count == null || Number.isNaN(count)) return NOT_KNOWN;
  return Number.isSafeInteger(count) ? separated(String(count)) : count.toLocaleString('en-US');
}

/** Thousands separated, by hand: the browser's own formatting takes 20 ms when it is first asked. */
function separated(figure: string): string {
  return figure.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',');
}

/** "1 span", "2 spans"; many: where it is not the noun with an s. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : many}`;
}

/** "812 B", "12.4 KB", "3.10 MB", in powers of 1,000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['KB', 'MB', 'GB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 99.95 ? value.toFixed(0) : value.toPrecision(3)} ${units[unit]}`;
}

/** Tokens in and out as one sum; null only when neither is known. */
export function totalTokens(input: Figure, output: Figure): number | null {
  return input == null && output == null ? null : (input ?? 0) + (output ?? 0);
}
