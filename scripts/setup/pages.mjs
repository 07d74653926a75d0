// Bundles the pages, with the bundler that npm brought (no network), when a source changed.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { step } from './say.mjs'

const PAGES = join('node', 'web', 'pages')
const DIST = join(PAGES, 'dist')
const STAMP = join('.cache', 'pages.json')
/** Two years of browsers. */
const TARGET = ['es2022', 'chrome111', 'firefox115', 'safari16.4']

export function pagesStand(root) {
  try {
    const { inputs, digest } = JSON.parse(readFileSync(join(root, STAMP), 'utf8'))
    return pages(root).every((page) => existsSync(join(root, DIST, page, 'index.html'))) && digest === digestOf(root, inputs)
  } catch {
    return false
  }
}

export async function bundlePages(root) {
  await step('Pages are bundled', async () => {
    const { build, stop } = await import('esbuild')
    const inputs = new Set()
    for (const page of pages(root)) for (const input of await bundle(build, root, page)) inputs.add(input)
    // Its service would stay for as long as the program that is started next.
    await stop()
    mkdirSync(join(root, '.cache'), { recursive: true })
    writeFileSync(join(root, STAMP), JSON.stringify({ inputs: [...inputs].sort(), digest: digestOf(root, [...inputs]) }))
  })
}

/** A page is a folder with `main.tsx`, `index.html` and `languages/*.json`. It becomes three files that name each other relatively: they work under any path, from a disk and from IPFS. */
async function bundle(build, root, page) {
  const out = join(root, DIST, page)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { page: join(root, PAGES, page, 'main.tsx') },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'iife',
    target: TARGET,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    logLevel: 'error',
    plugins: [languagesOf(join(root, PAGES, page, 'languages'))],
  })
  copyFileSync(join(root, PAGES, page, 'index.html'), join(out, 'index.html'))
  return Object.keys(metafile.inputs).filter((input) => !input.startsWith('node_modules/'))
}

/** Every language of the page's folder, in place of shared/languages.ts: another language is one file more. */
const languagesOf = (folder) => ({
  name: 'languages',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]pages[\\/]shared[\\/]languages\.ts$/ }, () => {
      const files = readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()
      const lines = files.map((name) => `${JSON.stringify(basename(name, '.json'))}: ${readFileSync(join(folder, name), 'utf8')}`)
      return { contents: `export const languages = {${lines.join(',\n')}}`, loader: 'js' }
    })
  },
})

const pages = (root) =>
  readdirSync(join(root, PAGES), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, PAGES, entry.name, 'main.tsx')))
    .map(({ name }) => name)
    .sort()

/** Of the pages' own files, of what they took from elsewhere in the tree, and of the locked versions. */
function digestOf(root, inputs) {
  const own = readdirSync(join(root, PAGES), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((path) => !dirname(path).startsWith(DIST))
  const others = inputs.map((input) => input.replaceAll('/', sep)).filter((path) => !path.startsWith(PAGES))
  const hash = createHash('sha256')
  for (const path of [...own, ...others, 'package-lock.json', join('scripts', 'setup', 'pages.mjs')].sort())
    hash.update(path).update(readFileSync(join(root, path)))
  return hash.digest('hex')
}
