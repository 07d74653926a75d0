/**
 * A category of data in terms, as people say it. Terms of the W3C's vocabulary, such as `dpv-pd:MedicalHealth`, are said in the reader's language
 * where that has a word for them, else by the words that they are made of; what a hospital wrote in its own words stays as it is.
 */
export function plainCategory(category: string, wordFor: (term: string) => string | undefined): string {
  const term = /^[\w-]+:(\w+)$/.exec(category)?.[1]
  if (term === undefined) return category
  return wordFor(term) ?? term.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}
