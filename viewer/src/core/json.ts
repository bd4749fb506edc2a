/** JSON for reading: integers beyond 2^53 keep their digits, and long values have short previews. */

const INTEGER = /^-?\d+$/;
type Source = { source: string };

/** JSON.parse, with integers a double cannot hold as bigint. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, function exact(this: unknown, _key: string, value: unknown, context?: Source) {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return context !== undefined && INTEGER.test(context.source) ? BigInt(context.source) : value;
  } as (this: unknown, key: string, value: unknown) => unknown);
}

/** JSON text, indented by two blanks unless it is said otherwise (0: one line); bigints as the numbers they were. */
export function formatJson(value: unknown, indent = 2): string {
  const digits: string[] = [];
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? `\u0000${digits.push(item.toString()) - 1}` : item),
    indent,
  );
  if (text === undefined) return 'null';
  return digits.length === 0 ? text : text.replace(/"\\u0000(\d+)"/g, (_match, index) => digits[Number(index)]);
}

/** One line that tells what a value is: `{file, pages, …}`, `[12 items]`, `"text…"`. */
export function preview(value: unknown, most = 72): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.length} ${value.length === 1 ? 'item' : 'items'}]`;
  if (typeof value !== 'object' || value === null) return shorten(scalarText(value), most);
  const keys = Object.keys(value);
  return keys.length === 0 ? '{}' : shorten(`{${keys.slice(0, 12).join(', ')}${keys.length > 12 ? ', …' : ''}}`, most);
}

/** A value on one line, as much of it as fits: `city: "Paris", days: [ 1, 2 ]`. */
export function oneLine(value: unknown, most = 60): string {
  if (typeof value === 'string') return shorten(value.slice(0, most + 1).replace(/\s+/g, ' '), most);
  const flat = (part: unknown) => formatJson(part).replace(/\n */g, ' ');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return shorten(flat(value), most);
  const entries = Object.entries(value).map(([name, part]) => `${name}: ${flat(part)}`);
  return shorten(entries.join(', '), most);
}

const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** The path of a part of a value whose own path is known, as JSONPath (RFC 9535) writes it: `$.files[0]["page 2"]`. */
export function pathInto(path: string, whole: unknown, key: string): string {
  if (Array.isArray(whole)) return `${path}[${key}]`;
  return PLAIN_NAME.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

export function scalarText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

const SMALL_VALUE_PARTS = 60;

/** How many levels of a value to show open: all of a small one, two of a large one. */
export function openLevels(value: unknown): number {
  const parts: unknown[] = [value];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (typeof part !== 'object' || part === null) continue;
    const inside = Object.values(part);
    if (parts.length + inside.length > SMALL_VALUE_PARTS) return 2;
    parts.push(...inside);
  }
  return Infinity;
}
