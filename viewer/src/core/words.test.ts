import { expect, test } from 'vitest';
import { searchWords } from './words';

test('words are split at blanks unless quotes hold them together', () => {
  expect(searchWords(' Hotel  "du Nord" a"b c')).toEqual(['hotel', 'du nord', 'ab c']);
  expect(searchWords('"" ')).toEqual([]);
});
