// Run by packages.mjs, under Node 24: bundles what node/ imports, and writes down which file of which package each bundle stands for.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { importedPackages, inputsOf, installedDigest, MAP } from './packages.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const inputs = inputsOf(root)
const folder = inputs.slice(0, 16)
const out = join(root, dirname(MAP), folder)

// As Node finds them, so that its name for a file is the one that the map knows.
const files = importedPackages(root).map((name) => fileURLToPath(name === 'helia' ? withoutNetwork() : import.meta.resolve(name)))

/** The file of Helia that node/adapters/store/load-helia.ts takes; its whole where a later version has no such file. */
function withoutNetwork() {
  const whole = import.meta.resolve('helia')
  const alone = new URL('./helia.js', whole).href
  return existsSync(fileURLToPath(alone)) ? alone : whole
}

/** What a CommonJS package exports has names for Node alone; a file that exports them by name gives them to the bundler. */
async function namedEntry(file) {
  const names = Object.keys(await import(pathToFileURL(file).href))
  if (!names.includes('module.exports')) return file
  const entry = join(out, 'entries', `${nameOf(file)}.mjs`)
  const named = names.filter((name) => name !== 'module.exports' && name !== 'default')
  mkdirSync(dirname(entry), { recursive: true })
  writeFileSync(entry, `export { ${named.join(', ')} } from ${JSON.stringify(file)}\nexport { default } from ${JSON.stringify(file)}\n`)
  return entry
}

const nameOf = (file) =>
  relative(join(root, 'node_modules'), file)
    .replace(/\.[a-z]+$/, '')
    .replaceAll(/[^a-zA-Z0-9]+/g, '-')
const entries = await Promise.all(files.map(async (file) => [nameOf(file), await namedEntry(file)]))
await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(entries),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  // Error classes and codecs are known by their names.
  keepNames: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: ['*.node'],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'error',
})
const bundles = Object.fromEntries(files.map((file) => [relative(root, file).replaceAll(sep, '/'), `${folder}/${nameOf(file)}.mjs`]))

const map = join(root, MAP)
const before = existsSync(map) ? JSON.parse(readFileSync(map, 'utf8')).folder : null
mkdirSync(dirname(map), { recursive: true })
writeFileSync(`${map}.new`, JSON.stringify({ inputs, installed: installedDigest(root), folder, bundles }))
renameSync(`${map}.new`, map)
// A command that runs may still read the bundles before these.
for (const entry of readdirSync(dirname(map), { withFileTypes: true }))
  if (entry.isDirectory() && entry.name !== folder && entry.name !== before) rmSync(join(dirname(map), entry.name), { recursive: true })
