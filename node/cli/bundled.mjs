// Imported first: packages are then read from the few files that set-up put them together in (scripts/setup/packages.mjs). Without those, or once
// something else is installed, they are read from where npm put them. Rota's own sources are named by their files, so that none is looked for.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url).href
const FOLDER = '.cache/packages/'

const map = read() ?? {}
module.registerHooks({
  resolve(name, context, next) {
    const own = ownFile(name, context.parentURL)
    if (own !== null) return { url: own, format: 'module-typescript', importAttributes: context.importAttributes, shortCircuit: true }
    const found = next(name, context)
    const bundle = found.url.startsWith(ROOT) ? map[found.url.slice(ROOT.length)] : undefined
    return bundle === undefined ? found : { ...found, url: `${ROOT}${FOLDER}${bundle}`, format: 'module' }
  },
})

/** The file of a source as package.json's `imports` and its neighbours name it, or null for anything else. */
function ownFile(name, parent) {
  if (!name.endsWith('.ts') || !parent?.startsWith(ROOT)) return null
  if (name.startsWith('#')) return `${ROOT}node/${name.slice(1)}`
  return name.startsWith('.') ? new URL(name, parent).href : null
}

function read() {
  try {
    const { installed, bundles } = JSON.parse(at(`${FOLDER}map.json`))
    return installed === createHash('sha256').update(at('node_modules/.package-lock.json')).digest('hex') ? bundles : null
  } catch {
    return null
  }
}

function at(path) {
  return readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8')
}
