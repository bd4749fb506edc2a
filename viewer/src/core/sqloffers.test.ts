import { describe, expect, it } from 'vitest';
import { sqlOffers } from './sqloffers';
import { tokens } from './sqltokens';

const column = (name: string, unit: string | null = null) => ({ name, type: 'BIGINT', unit, description: `the ${name}` });
const TABLES = [
  { name: 'runs', description: 'one row a run', columns: [column('run_id'), column('duration_ms', 'ms'), column('order')] },
  { name: 'llm_calls', description: 'calls', columns: [column('cache_read_tokens'), column('model')] },
];
const FUNCTIONS = [{ name: 'count', parameters: 'x', description: 'how many' }, { name: 'pi', parameters: '', description: '' }];

const offersAt = (text: string, asked = false, place = text.length) => sqlOffers(text, place, tokens(text), TABLES, FUNCTIONS, asked);
const labels = (text: string, asked = false) => offersAt(text, asked).offers.map(({ label }) => label);

describe('what a word may become', () => {
  it('are tables, columns, words and functions, those that fit best first', () => {
    expect(labels('select * from ru')[0]).toBe('runs');
    expect(labels('select cou')[0]).toBe('count');
    expect(labels('sel')[0]).toBe('select');
    expect(labels('select read from llm_calls where read')).toContain('cache_read_tokens');
  });

  it('are columns of the tables that the query names, else of runs', () => {
    expect(labels('select mo')).not.toContain('model');
    expect(labels('select * from llm_calls where mo')[0]).toBe('model');
    expect(labels('select dur')[0]).toBe('duration_ms');
  });

  it('are columns of one table after its name or the name it was given', () => {
    expect(labels('select * from runs where runs.')).toEqual(['duration_ms', 'order', 'run_id']);
    expect(labels('select * from runs r join llm_calls as c on r.run_id = c.')).toEqual(['cache_read_tokens', 'model']);
    expect(labels('select nothing.')).toEqual([]);
  });

  it('are none within texts, comments and figures, and without a letter only for whoever asks', () => {
    expect(labels("select 'ru")).toEqual([]);
    expect(labels('-- ru')).toEqual([]);
    expect(labels('select 12')).toEqual([]);
    expect(labels('select ')).toEqual([]);
    expect(labels('select ', true).length).toBeGreaterThan(10);
  });

  it('are written as SQL wants them, with the cursor between the brackets of a call', () => {
    const [order] = offersAt('select runs.ord').offers;
    expect(order).toMatchObject({ insert: '"order"', back: 0 });
    expect(offersAt('select cou').offers[0]).toMatchObject({ insert: 'count()', back: 1, detail: '(x)' });
    expect(offersAt('select pi').offers.find(({ label }) => label === 'pi')).toMatchObject({ insert: 'pi()', back: 0 });
    expect(offersAt('select dur').offers[0]).toMatchObject({ info: 'the duration_ms (ms)', detail: 'bigint' });
    expect(offersAt('select dur').from).toBe(7);
  });
});
