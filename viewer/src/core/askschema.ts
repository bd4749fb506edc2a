/**
 * A JSON Schema as a form: fields for what is simple (text, numbers, yes or no, choices, flat objects of these, lists of
 * them), and a JSON editor for everything else. The collector judges what is sent; the form only helps to write it.
 */

import { formatJson, parseJson } from './json';

type Json = Record<string, unknown>;

interface FieldBase {
  /** The property's name; "" for a schema that is no object. */
  readonly name: string;
  readonly title: string;
  readonly help: string;
  readonly required: boolean;
}

export type Field = FieldBase &
  (
    | { readonly type: 'text'; readonly long: boolean; readonly maxLength?: number; readonly minLength?: number; readonly pattern?: string }
    | { readonly type: 'number'; readonly whole: boolean; readonly least?: number; readonly most?: number }
    | { readonly type: 'boolean' }
    | { readonly type: 'choice'; readonly choices: readonly unknown[] }
    | { readonly type: 'list'; readonly of: 'text' | 'number' | 'whole' }
    | { readonly type: 'json' }
  );

export interface SchemaForm {
  /** One field of its own, or the properties of an object. */
  readonly flat: boolean;
  readonly fields: readonly Field[];
}

/** What is typed: texts, and "", "true" or "false" for what is yes or no; choices by their place. */
export type FieldTexts = Record<string, string>;

export type ReadValue = { readonly value: unknown; readonly errors: null } | { readonly value: null; readonly errors: Record<string, string> };

/** Words that say more than the form can keep: such schemas are edited as JSON. */
const BEYOND = ['$ref', '$defs', 'definitions', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'patternProperties', 'dependentSchemas', 'prefixItems', '$dynamicRef', 'dependentRequired', 'propertyNames', 'unevaluatedProperties'];
const MOST_FIELDS = 40;

/** The form of a schema; null: it is to be edited as JSON. */
export function schemaForm(schema: Json | null): SchemaForm | null {
  if (schema === null || isBeyond(schema)) return null;
  if (schema.type !== 'object') {
    const field = fieldOf('', schema, true);
    return field === null || field.type === 'json' ? null : { flat: false, fields: [field] };
  }
  const properties = schema.properties;
  if (!isObject(properties)) return null;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const names = Object.keys(properties);
  if (names.length === 0 || names.length > MOST_FIELDS || required.some((name) => !names.includes(name as string))) return null;
  const fields = names.map((name) => fieldOf(name, properties[name], required.includes(name)));
  return fields.every((field) => field !== null) ? { flat: true, fields } : null;
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isBeyond = (schema: Json): boolean => BEYOND.some((word) => Object.hasOwn(schema, word));
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

function fieldOf(name: string, schema: unknown, required: boolean): Field | null {
  if (!isObject(schema)) return null;
  const base = { name, title: textOf(schema.title) || name || 'Answer', help: textOf(schema.description), required };
  if (isBeyond(schema)) return { ...base, type: 'json' };
  if (Object.hasOwn(schema, 'const')) return { ...base, type: 'choice', choices: [schema.const] };
  if (Array.isArray(schema.enum)) return schema.enum.length > 0 ? { ...base, type: 'choice', choices: schema.enum } : null;
  if (schema.type === 'string') return { ...base, type: 'text', ...limitsOfText(schema) };
  if (schema.type === 'boolean') return { ...base, type: 'boolean' };
  if (schema.type === 'number' || schema.type === 'integer') {
    return { ...base, type: 'number', whole: schema.type === 'integer', least: numberOf(schema.minimum), most: numberOf(schema.maximum) };
  }
  const of = schema.type === 'array' ? listOf(schema.items) : null;
  return of ? { ...base, type: 'list', of } : { ...base, type: 'json' };
}

function limitsOfText(schema: Json): { long: boolean; maxLength?: number; minLength?: number; pattern?: string } {
  const maxLength = numberOf(schema.maxLength);
  const long = schema.format === 'textarea' || (maxLength !== undefined && maxLength > 200);
  return { long, maxLength, minLength: numberOf(schema.minLength), pattern: textOf(schema.pattern) || undefined };
}

function listOf(items: unknown): 'text' | 'number' | 'whole' | null {
  if (!isObject(items) || isBeyond(items) || Object.hasOwn(items, 'enum') || Object.hasOwn(items, 'const')) return null;
  if (items.type === 'string') return 'text';
  return items.type === 'number' ? 'number' : items.type === 'integer' ? 'whole' : null;
}

/** What the fields begin with: the schema's defaults, or a value that is edited. */
export function fieldTexts(form: SchemaForm, schema: Json, value?: unknown): FieldTexts {
  const properties = form.flat ? (schema.properties as Json) : { '': schema };
  const given = form.flat ? value : { '': value };
  return Object.fromEntries(
    form.fields.map((field) => {
      const own = isObject(given) ? given[field.name] : undefined;
      const start = own !== undefined ? own : (properties[field.name] as Json).default;
      return [field.name, start === undefined ? firstText(field) : toText(field, start)];
    }),
  );
}

// What has one possible value needs no hand.
const firstText = (field: Field): string => (field.type === 'choice' && field.choices.length === 1 && field.required ? '0' : '');

function toText(field: Field, value: unknown): string {
  if (field.type === 'choice') {
    const place = field.choices.findIndex((choice) => formatJson(choice) === formatJson(value));
    return place < 0 ? '' : String(place);
  }
  if (field.type === 'list') return Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? item : formatJson(item))).join('\n') : '';
  if (field.type === 'json') return formatJson(value);
  return typeof value === 'string' ? value : formatJson(value);
}

/** The value that the fields make, or what is wrong with each. What is left empty and not required is left out. */
export function readFields(form: SchemaForm, texts: FieldTexts): ReadValue {
  const value: Json = {};
  const errors: Record<string, string> = {};
  for (const field of form.fields) {
    const text = texts[field.name] ?? '';
    if (isEmpty(field, text)) {
      if (field.required) errors[field.name] = field.type === 'choice' || field.type === 'boolean' ? 'choose one' : 'this is needed';
      continue;
    }
    try {
      value[field.name] = readField(field, text);
    } catch (cause) {
      errors[field.name] = (cause as Error).message;
    }
  }
  if (Object.keys(errors).length > 0) return { value: null, errors };
  return { value: form.flat ? value : value[''], errors: null };
}

// An empty text is a text where it must be given, and a list may be empty: both then satisfy what is required.
function isEmpty(field: Field, text: string): boolean {
  if (field.type === 'list') return text.trim() === '' && !field.required;
  if (field.type === 'text') return text === '' && !(field.required && field.minLength === 0);
  return text.trim() === '';
}

function readField(field: Field, text: string): unknown {
  if (field.type === 'text') return readText(field, text);
  if (field.type === 'number') return readNumber(text.trim(), field.whole, field.least, field.most);
  if (field.type === 'boolean') return text === 'true';
  if (field.type === 'choice') return field.choices[Number(text)];
  if (field.type === 'list') return readList(field.of, text);
  return readJson(text);
}

function readText(field: { minLength?: number; maxLength?: number; pattern?: string }, text: string): string {
  const length = [...text].length;
  if (field.minLength !== undefined && length < field.minLength) throw new Error(`give at least ${field.minLength} characters`);
  if (field.maxLength !== undefined && length > field.maxLength) throw new Error(`give ${field.maxLength} characters at most, not ${length}`);
  if (field.pattern !== undefined && !matches(field.pattern, text)) throw new Error(`this does not match ${field.pattern}`);
  return text;
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return true; // a pattern of another dialect: the collector judges
  }
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function readNumber(text: string, whole: boolean, least?: number, most?: number): unknown {
  if (!NUMBER.test(text)) throw new Error('this is not a number');
  const value = parseJson(text) as number | bigint;
  if (whole && typeof value === 'number' && !Number.isInteger(value)) throw new Error('give a whole number');
  if (least !== undefined && value < least) throw new Error(`give at least ${least}`);
  if (most !== undefined && value > most) throw new Error(`give ${most} at most`);
  return value;
}

function readList(of: 'text' | 'number' | 'whole', text: string): unknown[] {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
  return lines.map((line, i) => {
    try {
      return of === 'text' ? line : readNumber(line, of === 'whole');
    } catch (cause) {
      throw new Error(`line ${i + 1}: ${(cause as Error).message}`);
    }
  });
}

/** The value of a text that is to be JSON. Throws SyntaxError whose message is for people. */
export function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new SyntaxError(`this is not JSON: ${(cause as Error).message}`);
  }
}
