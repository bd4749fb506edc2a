/** Facets: values that runs have, as menus that edit the filters. */

import { quoteValue, readValue, valuesOf, withValues } from './querytext';
import type { RunFilters } from './runfilters';

export const FACETS = [
  { field: 'agent', title: 'Agent' },
  { field: 'name', title: 'Name' },
  { field: 'model', title: 'Model' },
  { field: 'tag', title: 'Tag' },
  { field: 'service', title: 'Service' },
  { field: 'error', title: 'Error type' },
  { field: 'tool', title: 'Tool' },
  { field: 'kind', title: 'Kind' },
  { field: 'session', title: 'Session' },
  { field: 'user', title: 'User' },
] as const;
export type FacetField = (typeof FACETS)[number]['field'];

/** Fields that are parameters of their own, too; a parameter holds one value. */
const PARAMETERS = ['agent', 'name', 'tag', 'session', 'user'] as const;
type Parameter = (typeof PARAMETERS)[number];

const isParameter = (field: string): field is Parameter => (PARAMETERS as readonly string[]).includes(field);

/** The values of a field that the filters ask for, as people read them. */
export function chosenValues(filters: RunFilters, field: FacetField): string[] {
  const fromText = valuesOf(filters.q, field).map(readValue);
  const parameter = isParameter(field) ? filters[field] : '';
  return parameter && !fromText.includes(parameter) ? [parameter, ...fromText] : fromText;
}

/** The filters with a value of a field asked for, or no longer; it is the search's text that then says so. */
export function toggleValue(filters: RunFilters, field: FacetField, value: string): RunFilters {
  const written = [...valuesOf(filters.q, field)];
  const parameter = isParameter(field) ? filters[field] : '';
  if (parameter && !written.map(readValue).includes(parameter)) written.unshift(quoteValue(parameter));
  const kept = written.filter((one) => readValue(one) !== value);
  if (kept.length === written.length) kept.push(quoteValue(value));
  return withoutParameter({ ...filters, q: withValues(filters.q, field, kept) }, field);
}

/** The filters without the field. */
export function clearValues(filters: RunFilters, field: FacetField): RunFilters {
  return withoutParameter({ ...filters, q: withValues(filters.q, field, []) }, field);
}

function withoutParameter(filters: RunFilters, field: FacetField): RunFilters {
  return isParameter(field) ? { ...filters, [field]: '' } : filters;
}

export interface FacetOption {
  readonly value: string;
  /** How many runs have it; null for one that is asked for and not among the most frequent. */
  readonly runs: number | null;
  readonly chosen: boolean;
}

/** What a menu offers: what is asked for first, then the most frequent values. typed: part of the values wanted. */
export function facetOptions(
  found: readonly { value: string; runs: number }[],
  chosen: readonly string[],
  typed: string,
): FacetOption[] {
  const runsOf = new Map(found.map(({ value, runs }) => [value, runs]));
  const asked = chosen.map((value) => ({ value, runs: runsOf.get(value) ?? null, chosen: true }));
  const others = found.filter(({ value }) => !chosen.includes(value)).map((one) => ({ ...one, chosen: false }));
  const part = typed.trim().toLowerCase();
  return [...asked, ...others].filter(({ value }) => value.toLowerCase().includes(part));
}
