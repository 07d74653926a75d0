/** What node/ imports from packages and set-up bundles, in order. */
export function importedPackages(root: string): string[]
