/** What a reader sets once: theme, density, time zone, panel sizes. Kept in local storage; nothing here belongs in a link. */

import { useTimeZone } from '../core/time';

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'compact' | 'normal' | 'roomy';

const NARROW_TREE_PX = 180;
const ROW_HEIGHT: Record<Density, number> = { compact: 20, normal: 24, roomy: 32 };
/** Figures that rows of a run may carry, in their order on screen. */
export const ROW_COLUMNS = ['duration', 'cost', 'tokens'] as const;
export type RowColumn = (typeof ROW_COLUMNS)[number];

export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
export const DENSITIES: readonly Density[] = ['compact', 'normal', 'roomy'];

function read<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  const kept = stored(key) as T | null;
  return kept !== null && allowed.includes(kept) ? kept : otherwise;
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(`milepost.${key}`);
  } catch {
    return null; // storage switched off: settings last as long as the page
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`milepost.${key}`, value);
  } catch {
    return; // as above
  }
}

class Settings {
  theme = $state<Theme>(read('theme', THEMES, 'system'));
  density = $state<Density>(read('density', DENSITIES, 'normal'));
  treeWidth = $state(Number(stored('treeWidth')) || 400);
  private widerTree = 400;
  rowColumns = $state.raw<readonly RowColumn[]>(ROW_COLUMNS.filter((column) => (stored('rowColumns') ?? 'duration cost').split(' ').includes(column)));
  panelWidth = $state(Number(stored('panelWidth')) || 420);
  askListWidth = $state(Number(stored('askListWidth')) || 420);
  diffHeight = $state(Number(stored('diffHeight')) || 340);
  sqlSide = $state(Number(stored('sqlSide')) || 260);
  sqlEditor = $state(Number(stored('sqlEditor')) || 180);
  panelOpen = $state(stored('panelOpen') !== 'no');
  /** Keys that type characters do something; off for readers whom stray keys would surprise (WCAG 2.1.4). */
  shortcuts = $state(stored('shortcuts') !== 'no');
  /** The name that what a reader does is kept under; empty: nobody's. There are no accounts. */
  actingAs = $state(stored('actingAs') ?? '');
  /** Of absolute times, by its name; null: the browser's. */
  timeZone = $state<string | null>(stored('timeZone') || null);
  /** Messages as formatted text; otherwise letter by letter as they were sent. */
  markdown = $state(stored('markdown') !== 'no');
  /** Grows when colours change, so that canvases read their tokens again. */
  themeVersion = $state(0);

  private readonly prefersDark = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    this.prefersDark.addEventListener('change', () => this.showTheme());
    this.showTheme();
    if (!useTimeZone(this.timeZone)) this.timeZone = null; // a zone that this browser does not know
  }

  get rowHeight(): number {
    return ROW_HEIGHT[this.density];
  }

  cycleTheme(): void {
    this.setTheme(THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length]);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    keep('theme', theme);
    this.showTheme();
  }

  cycleDensity(): void {
    this.setDensity(DENSITIES[(DENSITIES.indexOf(this.density) + 1) % DENSITIES.length]);
  }

  setDensity(density: Density): void {
    this.density = density;
    keep('density', this.density);
    document.documentElement.dataset.density = this.density;
  }

  setTreeWidth(width: number): void {
    if (this.treeWidth > NARROW_TREE_PX) this.widerTree = this.treeWidth;
    this.treeWidth = width;
    keep('treeWidth', String(Math.round(width)));
  }

  /** Makes the tree narrow, or as wide as it was. */
  toggleTree(): void {
    const narrow = this.treeWidth <= NARROW_TREE_PX;
    this.setTreeWidth(narrow ? this.widerTree : NARROW_TREE_PX);
  }

  setRowColumn(column: RowColumn, shown: boolean): void {
    this.rowColumns = ROW_COLUMNS.filter((each) => (each === column ? shown : this.rowColumns.includes(each)));
    keep('rowColumns', this.rowColumns.join(' '));
  }

  setPanelWidth(width: number): void {
    this.panelWidth = width;
    keep('panelWidth', String(Math.round(width)));
  }

  setAskListWidth(width: number): void {
    this.askListWidth = width;
    keep('askListWidth', String(Math.round(width)));
  }

  setDiffHeight(height: number): void {
    this.diffHeight = height;
    keep('diffHeight', String(Math.round(height)));
  }

  setSqlSide(width: number): void {
    this.sqlSide = width;
    keep('sqlSide', String(Math.round(width)));
  }

  setSqlEditor(height: number): void {
    this.sqlEditor = height;
    keep('sqlEditor', String(Math.round(height)));
  }

  togglePanel(): void {
    this.panelOpen = !this.panelOpen;
    keep('panelOpen', this.panelOpen ? 'yes' : 'no');
  }

  setShortcuts(on: boolean): void {
    this.shortcuts = on;
    keep('shortcuts', on ? 'yes' : 'no');
  }

  setActingAs(name: string): void {
    this.actingAs = name.trim().slice(0, 200);
    keep('actingAs', this.actingAs);
  }

  /** Answers whether the zone is known; an unknown one changes nothing. */
  setTimeZone(zone: string | null): boolean {
    if (!useTimeZone(zone)) return false;
    this.timeZone = zone;
    keep('timeZone', zone ?? '');
    return true;
  }

  setMarkdown(formatted: boolean): void {
    this.markdown = formatted;
    keep('markdown', formatted ? 'yes' : 'no');
  }

  private showTheme(): void {
    const dark = this.theme === 'dark' || (this.theme === 'system' && this.prefersDark.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    document.documentElement.dataset.density = this.density;
    this.themeVersion++;
  }
}

export const settings = new Settings();
