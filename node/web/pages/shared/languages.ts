/** Texts of one language by key; `language` is its own name, as its speakers write it. */
export type Texts = Readonly<Record<string, string>>

/** Put into a text by name: `{name}`. */
export type Values = Readonly<Record<string, string | number>>

/** By BCP 47 code. The bundler puts every file of the page's `languages/` folder in place of this (scripts/setup/pages.mjs). */
export const languages: Readonly<Record<string, Texts>> = {}
