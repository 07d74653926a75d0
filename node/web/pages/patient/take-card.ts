/**
 * The card's link from the address bar. It is taken out of there at once: what stays in a browser's history, or is seen over a
 * shoulder, holds no key. Reading the page anew then needs the card again.
 */
export function takeCard(): string | null {
  const { hash, pathname, search } = location
  if (hash.length < 2) return null
  history.replaceState(null, '', pathname + search)
  return hash
}
