import { bool, dateDay, decimal128, field, int64, list, struct, tableFromArrays, tableToIPC, timestamp, utf8, TimeUnit } from '@uwdata/flechette';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGrid } from './results';

function cells(values: unknown[], type: unknown): unknown[] {
  const options = { types: { x: type }, useBigInt: true, useDecimalInt: true, useBigIntTimestamp: true } as Parameters<typeof tableFromArrays>[1];
  const bytes = tableToIPC(tableFromArrays({ x: values as never[] }, options), { format: 'stream' }) as Uint8Array;
  const { columns, rowCount } = readGrid(bytes);
  return Array.from({ length: rowCount }, (_, row) => columns[0].at(row));
}

describe('results', () => {
  it('keep integers exact: numbers where those hold them', () => {
    const integers = fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { minLength: 1 });
    fc.assert(
      fc.property(integers, (values) => {
        for (const [i, cell] of cells(values, int64()).entries()) {
          expect(cell === null ? null : BigInt(cell as number)).toBe(values[i]);
          expect(typeof cell === 'bigint').toBe(values[i] !== null && !Number.isSafeInteger(Number(values[i])));
        }
      }),
    );
  });

  it('keep decimals as their digits', () => {
    expect(cells([150n, -5n, null, 12_345_678_901_234_567_890n], decimal128(38, 2))).toEqual(['1.50', '-0.05', null, '123456789012345678.90']);
    expect(cells([2n ** 100n, 7n], decimal128(38, 0))).toEqual([2n ** 100n, 7]);
  });

  it('count times in nanoseconds, whatever they were counted in, and keep days as days', () => {
    for (const unit of [TimeUnit.SECOND, TimeUnit.MILLISECOND, TimeUnit.MICROSECOND, TimeUnit.NANOSECOND]) {
      expect(cells([1_795_246_200_000, null], timestamp(unit))).toEqual([1_795_246_200_000_000_000n, null]);
    }
    expect(cells([Date.UTC(2026, 10, 21)], dateDay())).toEqual(['2026-11-21']);
  });

  it('turn nested values into plain ones', () => {
    const type = list(struct([field('name', utf8()), field('ok', bool()), field('n', int64())]));
    const value = [{ name: 'a', ok: true, n: 2n ** 60n }, { name: 'b', ok: false, n: 3n }];
    expect(cells([value, null], type)).toEqual([[value[0], { ...value[1], n: 3 }], null]);
  });
});
