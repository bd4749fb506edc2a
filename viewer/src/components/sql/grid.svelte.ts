/** What a reader has done to a result: order, widths, hidden columns, the cell they are at and the cells they selected. */

import {
  MIN_WIDTH, cellTarget, contains, fittingWidth, leftsOf, sortedRows, toTsv, type CellRange, type GridColumn, type GridData,
} from '../../core/grid';

/** The row of column names, as far as keys go. */
export const HEAD = -1;

export class GridModel {
  hidden = $state.raw<ReadonlySet<string>>(new Set());
  sort = $state.raw<{ column: number; descending: boolean } | null>(null);
  widths = $state.raw<readonly number[]>([]);
  /** The cell of the keyboard; places among what is shown. */
  row = $state(0);
  column = $state(0);
  anchor = $state.raw<{ row: number; column: number } | null>(null);

  constructor(readonly data: GridData) {
    this.widths = data.columns.map((_, place) => fittingWidth(data, place));
  }

  /** Places in the result of the columns that are shown. */
  readonly places = $derived.by(() => this.data.columns.map((_, i) => i).filter((i) => !this.hidden.has(this.key(i))));
  readonly columns: readonly GridColumn[] = $derived(this.places.map((place) => this.data.columns[place]));
  readonly lefts = $derived(leftsOf(this.places.map((place) => this.widths[place])));
  readonly rows: ArrayLike<number> = $derived.by(() => {
    if (this.sort) return sortedRows(this.data, this.sort.column, this.sort.descending);
    return Uint32Array.from({ length: this.data.rowCount }, (_, row) => row);
  });

  readonly range: CellRange = $derived({
    fromRow: this.anchor?.row ?? this.row,
    fromColumn: this.anchor?.column ?? this.column,
    toRow: this.row,
    toColumn: this.column,
  });

  /** Names may be equal, so a column's place belongs to its key. */
  key(place: number): string {
    return `${place} ${this.data.columns[place].name}`;
  }

  get total(): number {
    return this.lefts[this.lefts.length - 1];
  }

  get selectedCount(): number {
    const { fromRow, toRow, fromColumn, toColumn } = this.range;
    return this.row === HEAD ? 0 : (Math.abs(toRow - fromRow) + 1) * (Math.abs(toColumn - fromColumn) + 1);
  }

  isSelected(row: number, column: number): boolean {
    return this.row !== HEAD && contains(this.range, row, column);
  }

  value(row: number, column: number): unknown {
    return this.columns[column]?.at(this.rows[row]);
  }

  target(row: number, column: number): string | null {
    return cellTarget(this.data.columns, this.places[column], this.rows[row]);
  }

  /** extend: keeps where the selection began. */
  moveTo(row: number, column: number, extend = false): void {
    if (!extend) this.anchor = null;
    else this.anchor ??= { row: Math.max(this.row, 0), column: this.column };
    this.row = Math.min(Math.max(row, extend ? 0 : HEAD), this.data.rowCount - 1);
    this.column = Math.min(Math.max(column, 0), this.places.length - 1);
  }

  selectRow(row: number): void {
    this.row = row;
    this.anchor = { row, column: 0 };
    this.column = this.places.length - 1;
  }

  selectAll(): void {
    this.anchor = { row: 0, column: 0 };
    [this.row, this.column] = [this.data.rowCount - 1, this.places.length - 1];
  }

  /** Ascending, descending, as it came. */
  sortBy(column: number): void {
    const place = this.places[column];
    if (this.sort?.column !== place) this.sort = { column: place, descending: false };
    else this.sort = this.sort.descending ? null : { column: place, descending: true };
    this.anchor = null;
  }

  resize(column: number, width: number): void {
    const place = this.places[column];
    this.widths = this.widths.map((old, i) => (i === place ? Math.max(MIN_WIDTH, Math.round(width)) : old));
  }

  width(column: number): number {
    return this.widths[this.places[column]];
  }

  setHidden(place: number, hidden: boolean): void {
    const next = new Set(this.hidden);
    if (hidden) next.add(this.key(place));
    else next.delete(this.key(place));
    if (next.size === this.data.columns.length) return; // a grid without columns could not be brought back by its menu
    this.hidden = next;
    this.moveTo(this.row, this.column);
  }

  selectedText(): string {
    return toTsv(this.columns, this.rows, this.range);
  }
}
