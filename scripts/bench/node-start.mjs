// Starts scripts/bench/node.ts as node/cli/bin.mjs starts the command: with the cache of compiled code on before any TypeScript is loaded. A node
// whose first file is TypeScript loads Node's compiler of it too, which is 20 MB.
import module from 'node:module'
import { join } from 'node:path'

module.enableCompileCache(join(import.meta.dirname, '../../.cache/compile'))
await import('../../node/cli/bundled.mjs')
await import('./node.ts')
