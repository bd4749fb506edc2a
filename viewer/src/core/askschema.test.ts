import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldTexts, readFields, schemaForm, type SchemaForm } from './askschema';

const formOf = (schema: Record<string, unknown>): SchemaForm => {
  const form = schemaForm(schema);
  if (form === null) throw new Error('no form');
  return form;
};
const read = (schema: Record<string, unknown>, texts: Record<string, string>) => readFields(formOf(schema), texts);

describe('a schema becomes fields', () => {
  it('where it is simple', () => {
    const form = formOf({
      type: 'object', required: ['amount'],
      properties: {
        amount: { type: 'integer', minimum: 1, title: 'Amount', description: 'in USD' }, note: { type: 'string' }, urgent: { type: 'boolean' },
        way: { enum: ['wire', 'card'] }, tags: { type: 'array', items: { type: 'string' } }, more: { type: 'object' },
      },
    });
    expect(form.fields.map((field) => [field.name, field.type, field.required])).toEqual([
      ['amount', 'number', true], ['note', 'text', false], ['urgent', 'boolean', false], ['way', 'choice', false], ['tags', 'list', false], ['more', 'json', false],
    ]);
    expect(form.fields[0]).toMatchObject({ title: 'Amount', help: 'in USD', whole: true, least: 1 });
  });

  it('or one field where it is no object', () => {
    expect(formOf({ type: 'string' })).toMatchObject({ flat: false, fields: [{ type: 'text', title: 'Answer' }] });
  });

  it.each([
    [null], [{}], [{ type: 'object' }], [{ anyOf: [{ type: 'string' }] }], [{ $ref: '#/x' }], [{ type: ['string', 'null'] }], [{ type: 'array', items: {} }],
    [{ type: 'object', properties: { a: { type: 'string' } }, required: ['b'] }],
  ])('or JSON: %j', (schema) => expect(schemaForm(schema)).toBeNull());
});

describe('fields become a value', () => {
  it('of the types that are wanted', () => {
    const schema = {
      type: 'object', required: ['amount', 'way'],
      properties: { amount: { type: 'number' }, way: { enum: ['wire', 7, null] }, urgent: { type: 'boolean' }, days: { type: 'array', items: { type: 'integer' } }, note: { type: 'string' } },
    };
    expect(read(schema, { amount: '2.5', way: '1', urgent: 'false', days: '1\n 2 \n', note: '' }).value).toEqual({ amount: 2.5, way: 7, urgent: false, days: [1, 2] });
    expect(read(schema, { amount: 'x', way: '', days: '1\nb' }).errors).toEqual({ amount: 'this is not a number', way: 'choose one', days: 'line 2: this is not a number' });
  });

  it('within their limits', () => {
    expect(read({ type: 'integer', minimum: 3, maximum: 5 }, { '': '2' }).errors).toEqual({ '': 'give at least 3' });
    expect(read({ type: 'integer', minimum: 3, maximum: 5 }, { '': '6' }).errors).toEqual({ '': 'give 5 at most' });
    expect(read({ type: 'integer' }, { '': '1.5' }).errors).toEqual({ '': 'give a whole number' });
    expect(read({ type: 'string', maxLength: 2 }, { '': 'abc' }).errors).toEqual({ '': 'give 2 characters at most, not 3' });
    expect(read({ type: 'string', pattern: '^a' }, { '': 'b' }).errors).toEqual({ '': 'this does not match ^a' });
    expect(read({ type: 'string' }, { '': '' }).errors).toEqual({ '': 'this is needed' });
  });

  it('exactly, however large a number is', () => {
    expect(read({ type: 'integer' }, { '': '9007199254740993' }).value).toBe(9007199254740993n);
  });

  it('beginning with defaults or with what is edited', () => {
    const schema = { type: 'object', properties: { a: { type: 'string', default: 'x' }, b: { enum: [1, 2], default: 2 }, c: { const: 3 } }, required: ['c'] };
    expect(fieldTexts(formOf(schema), schema)).toEqual({ a: 'x', b: '1', c: '0' });
    expect(fieldTexts(formOf(schema), schema, { a: 'y', b: 1 })).toEqual({ a: 'y', b: '0', c: '0' });
  });

  const scalar = fc.oneof(
    fc.record({ schema: fc.constant({ type: 'string' }), value: fc.string({ minLength: 1 }) }),
    fc.record({ schema: fc.constant({ type: 'number' }), value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => (Object.is(one, -0) ? 0 : one)) }),
    fc.record({ schema: fc.constant({ type: 'integer' }), value: fc.maxSafeInteger() }),
    fc.record({ schema: fc.constant({ type: 'boolean' }), value: fc.boolean() }),
    fc.record({ schema: fc.constant({ enum: ['a', 1, null, true] }), value: fc.constantFrom('a', 1, null, true) }),
    fc.record({ schema: fc.constant({ type: 'array', items: { type: 'integer' } }), value: fc.array(fc.integer()) }),
    fc.record({ schema: fc.constant({ type: 'object' }), value: fc.dictionary(fc.string(), fc.integer()) }),
  );

  it('the same as was edited, when nothing is changed', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(name, scalar), { selector: ([key]) => key, minLength: 1, maxLength: 6 }), (parts) => {
      const schema = { type: 'object', required: parts.map(([key]) => key), properties: Object.fromEntries(parts.map(([key, part]) => [key, part.schema])) };
      const value = Object.fromEntries(parts.map(([key, part]) => [key, part.value]));
      const form = formOf(schema);
      const back = readFields(form, fieldTexts(form, schema, value));
      expect(back.errors).toBeNull();
      const asDoubles = (_: string, one: unknown) => (typeof one === 'bigint' ? Number(one) : one); // they come back exact from 2^53 on
      expect(JSON.parse(JSON.stringify(back.value, asDoubles))).toEqual(JSON.parse(JSON.stringify(value)));
    }));
  });
});
