/** Server-sent events as text, and whether one is missing among those of a connection. */

export interface StreamMessage {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads whole events; one whose end did not arrive is left out. */
export function parseEvents(text: string): StreamMessage[] {
  const blocks = text.split(/\r?\n\r?\n/);
  blocks.pop(); // what follows the last empty line has not ended
  return blocks.map(parseEvent).filter((message) => message.event !== '');
}

function parseEvent(block: string): StreamMessage {
  const fields: Record<string, string> = {};
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] = value;
  }
  return { id: fields.id ?? '', event: fields.event ?? '', data: fields.data ?? '' };
}

/** "boot-12.3" is the fourth message of its connection, and a reader that has it may resume after tick 12. */
export function messageNumber(id: string): number | null {
  const [, number] = /\.(\d+)$/.exec(id) ?? [];
  return number === undefined ? null : Number(number);
}

/**
 * Counts the messages of one connection. A message that comes twice or late is taken as it is - applying it again
 * changes nothing - but one that comes too early tells that others are missing.
 */
export class MessageCount {
  private next = 0;

  /** Answers whether messages before this one have not arrived. */
  note(id: string): boolean {
    const number = messageNumber(id);
    if (number === null || number < this.next) return false;
    const missing = number > this.next;
    this.next = number + 1;
    return missing;
  }
}

/**
 * The earliest of positions that answers have named: whoever follows from there misses nothing that any of them lacks.
 * Null when one is not known, or when they are of different starts of the collector.
 */
export function earliestPosition(positions: readonly (string | null)[]): string | null {
  let earliest: { position: string; number: number; boot: string } | null = null;
  for (const position of positions) {
    const [, boot, digits] = /^(\w+)-(\d+)$/.exec(position ?? '') ?? [];
    if (position === null || !boot || (earliest && boot !== earliest.boot)) return null;
    if (!earliest || Number(digits) < earliest.number) earliest = { position, number: Number(digits), boot };
  }
  return earliest?.position ?? null;
}
