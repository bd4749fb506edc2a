/** CodeMirror as the editor of SQL: DuckDB's words, completion from the schema, the place of an error. */

import { acceptCompletion, autocompletion, completionKeymap, type Completion, type CompletionContext } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { SQLDialect, keywordCompletionSource, schemaCompletionSource, type SQLNamespace } from '@codemirror/lang-sql';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, Prec, StateEffect, StateField } from '@codemirror/state';
import { Decoration, EditorView, drawSelection, keymap, lineNumbers, type DecorationSet } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { SchemaAnswer, SqlFunction } from '../../api/types';
import { KEYWORDS, TYPES } from '../../core/duckdb';
import { sqlName, type Extent } from '../../core/sqltext';

const DUCKDB = SQLDialect.define({
  keywords: KEYWORDS,
  types: TYPES,
  doubleDollarQuotedStrings: true,
  caseInsensitiveIdentifiers: true,
  operatorChars: '*+-%<>!=&|~^/:@',
  specialVar: '$?',
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--kind-retrieval)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--kind-llm)' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--kind-tool)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--ink-3)' },
]);

const THEME = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', fontSize: '13px', lineHeight: '20px', overflow: 'auto' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'transparent', border: '0', color: 'var(--ink-3)' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 8px 0 16px', minWidth: '24px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 22%, transparent)',
  },
  '.cm-matchingBracket': { backgroundColor: 'var(--selected)', outline: '1px solid var(--line-strong)' },
  '.cm-wrong': { textDecoration: 'underline wavy var(--error)', textUnderlineOffset: '4px', textDecorationSkipInk: 'none' },
  '.cm-statement': { backgroundColor: 'color-mix(in srgb, var(--accent) 5%, transparent)' },
  '.cm-tooltip': { border: '0', borderRadius: '6px', backgroundColor: 'var(--raised)', boxShadow: 'var(--shadow)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12px', maxHeight: '280px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--selected)', color: 'var(--ink)' },
  '.cm-completionDetail': { fontStyle: 'normal', color: 'var(--ink-3)' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-completionInfo': { padding: '6px 10px', maxWidth: '360px', fontFamily: 'var(--font)', fontSize: '12px', lineHeight: '16px' },
});

const setWrong = StateEffect.define<Extent | null>();
const WRONG = Decoration.mark({ class: 'cm-wrong' });

/** The place of the last error, until the text there is changed. */
const wrong = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setWrong)) return markOf(effect.value, transaction.state.doc.length);
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function markOf(place: Extent | null, length: number): DecorationSet {
  if (place === null || place.start >= place.end || place.end > length) return Decoration.none;
  return Decoration.set([WRONG.range(place.start, place.end)]);
}

export interface EditorEvents {
  onchange(text: string): void;
  onrun(): void;
}

/** The editor in a page element. */
export class SqlEditorView {
  private readonly view: EditorView;
  private readonly words = new Compartment();

  constructor(parent: HTMLElement, text: string, events: EditorEvents) {
    const run = () => (events.onrun(), true);
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          DUCKDB.language,
          syntaxHighlighting(COLOURS),
          THEME,
          wrong,
          this.words.of(completion(null, [])),
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run }, { key: 'Tab', run: acceptCompletion }])),
          // Esc leaves the editor, so that Tab then goes on: a page must not hold the keyboard.
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, { key: 'Escape', run: (view) => (view.contentDOM.blur(), true) }]),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'SQL query', 'data-search': '', spellcheck: 'false', autocapitalize: 'off' }),
          EditorView.updateListener.of((update) => update.docChanged && events.onchange(update.state.doc.toString())),
        ],
      }),
    });
  }

  get selection(): Extent {
    const { from, to } = this.view.state.selection.main;
    return { start: from, end: to };
  }

  focus(): void {
    this.view.focus();
  }

  destroy(): void {
    this.view.destroy();
  }

  /** Shows another text; the cursor goes to its end. */
  setText(text: string): void {
    if (text === this.view.state.doc.toString()) return;
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: text.length } });
  }

  /** Puts a text where the cursor is, in place of what is selected. */
  insert(text: string): void {
    this.view.dispatch(this.view.state.replaceSelection(text));
    this.view.focus();
  }

  markError(place: Extent | null): void {
    this.view.dispatch({ effects: setWrong.of(place) });
  }

  goTo(place: number): void {
    this.view.dispatch({ selection: { anchor: Math.min(place, this.view.state.doc.length) }, scrollIntoView: true });
    this.view.focus();
  }

  /** What may be completed: tables with their columns, and functions. */
  offer(schema: SchemaAnswer | null, functions: readonly SqlFunction[]): void {
    this.view.dispatch({ effects: this.words.reconfigure(completion(schema, functions)) });
  }
}

function completion(schema: SchemaAnswer | null, functions: readonly SqlFunction[]) {
  const sources = [keywordCompletionSource(DUCKDB, false), columnSource(schema), functionSource(functions)];
  if (schema) sources.push(schemaCompletionSource({ dialect: DUCKDB, schema: namespace(schema) }));
  // A key that comes as soon as the list is seen means the list.
  return autocompletion({ override: sources, icons: false, maxRenderedOptions: 60, interactionDelay: 0 });
}

function namespace(schema: SchemaAnswer): SQLNamespace {
  return Object.fromEntries(
    schema.tables.map((table) => [
      table.name,
      { self: { label: table.name, type: 'type', detail: 'table', info: table.description, boost: 20 }, children: table.columns.map(columnOption) },
    ]),
  );
}

function columnOption(column: SchemaAnswer['tables'][number]['columns'][number]): Completion {
  const unit = column.unit ? ` (${column.unit})` : '';
  const apply = sqlName(column.name);
  return { label: column.name, apply, type: 'property', detail: column.type.toLowerCase(), info: `${column.description}${unit}`, boost: 10 };
}

/** Columns of the tables that the text names, wherever a word may stand; of a query without any, of `runs`. */
function columnSource(schema: SchemaAnswer | null) {
  return (context: CompletionContext) => {
    const word = context.matchBefore(/(?<!\.)\b\w*$/);
    if (!schema || !word || (word.from === word.to && !context.explicit)) return null;
    const text = context.state.doc.toString();
    const named = schema.tables.filter((table) => new RegExp(`\\b${table.name}\\b`, 'i').test(text));
    const tables = named.length > 0 ? named : schema.tables.filter((table) => table.name === 'runs');
    const columns = new Map(tables.flatMap((table) => table.columns.map((column) => [column.name, columnOption(column)] as const)));
    return { from: word.from, options: [...columns.values()], validFor: /^\w*$/ };
  };
}

function functionSource(functions: readonly SqlFunction[]) {
  const options = functions.map(
    ({ name, parameters, description }): Completion => ({
      label: name,
      apply: (view, _completion, from, to) =>
        view.dispatch({ changes: { from, to, insert: `${name}()` }, selection: { anchor: from + name.length + (parameters ? 1 : 2) } }),
      type: 'function',
      detail: `(${parameters})`,
      info: description || undefined,
      boost: -10,
    }),
  );
  return (context: CompletionContext) => {
    const word = context.matchBefore(/(?<!\.)\b\w+$/);
    return word ? { from: word.from, options, validFor: /^\w*$/ } : null;
  };
}
