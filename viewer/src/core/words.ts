/** Words of a plain text search, in lower case; double quotes keep blanks together. */
export function searchWords(query: string): string[] {
  const words = query.toLowerCase().match(/(?:[^\s"]+|"[^"]*"?)+/g) ?? [];
  return words.map((word) => word.replaceAll('"', '')).filter((word) => word !== '');
}
