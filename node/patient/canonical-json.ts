/**
 * One text for one value, however a file was written: keys in order, no space, as RFC 8785 says for what receipts hold (texts, whole numbers,
 * booleans, null). `jq -cS` writes the same.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value))

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  // Keys that look like numbers would go first in an object: receipts have none.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, of]) => of !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, of]) => [key, ordered(of)]),
  )
}
