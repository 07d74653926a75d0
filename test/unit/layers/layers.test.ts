import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { biomeIsCurrent } from '../../../scripts/checks/generate-biome.ts'
import { type Layer, layerOf, layers } from '../../../scripts/checks/layers.ts'
import { lintPlanted } from './planted.ts'

/*
 * the layers
 * ├── given a file that imports what its layer may not
 * │   └── it is flagged, whether by value, by type, dynamically, by `../`, a package or a Node module
 * ├── given a file that imports what its layer may
 * │   └── it is not flagged
 * ├── given two files that import each other
 * │   └── both are flagged
 * └── given the clock, chance or a plain Error where they do not belong
 *     └── it is flagged
 */

const RULE = 'lint/style/noRestrictedImports'
const fileIn = (folder: string): string => `${folder}/there.ts`

interface Plant {
  readonly path: string
  readonly text: string
  readonly forbidden: boolean
}

const mayImport = (layer: Layer, other: string): boolean =>
  layer.folder === other || other.startsWith(`${layer.folder}/`) || layer.may.some((allowed) => other === allowed || other.startsWith(`${allowed}/`))

function plants(): Plant[] {
  const planted: Plant[] = []
  for (const layer of layers) {
    const here = `node/${layer.folder}`
    const add = (name: string, text: string, forbidden: boolean) => planted.push({ path: `${here}/${name}.ts`, text: `${text}\n`, forbidden })
    layers.forEach(({ folder: other }, i) => {
      const forbidden = !mayImport(layer, other)
      add(`value-${i}`, `import { there } from '#${fileIn(other)}'\n\nexport const a = there`, forbidden)
      add(`type-${i}`, `import type { There } from '#${fileIn(other)}'\n\nexport type A = There`, forbidden)
      add(`dynamic-${i}`, `export const a = () => import('#${fileIn(other)}')`, forbidden)
    })
    const up = '../'.repeat(layer.folder.split('/').length)
    add('sideways', `import { there } from '${up}cli/there.ts'\n\nexport const a = there`, true)
    add('own-file', "import { there } from './there.ts'\n\nexport const a = there", false)
    add('package', "import { there } from 'left-pad'\n\nexport const a = there", true)
    add('builtin', "import { readFileSync } from 'node:fs'\n\nexport const a = readFileSync", !layer.builtins)
    layer.packages.forEach((name, i) => add(`own-package-${i}`, `import { there } from '${name}'\n\nexport const a = there`, false))
    add('there', 'export const there = 1\nexport type There = number', false)
  }
  return planted
}

describe('the layers', () => {
  it('flag every forbidden import and no permitted one', async () => {
    const planted = plants()
    const found = await lintPlanted(Object.fromEntries(planted.map(({ path, text }) => [path, text])))
    const flagged = (path: string): boolean => found.get(path)?.includes(RULE) ?? false
    assert.deepEqual(
      planted.filter(({ path, forbidden }) => forbidden && !flagged(path)).map(({ path, text }) => `${path}: ${text}`),
      [],
      'forbidden, and not flagged',
    )
    assert.deepEqual(
      planted.filter(({ path, forbidden }) => !forbidden && flagged(path)).map(({ path, text }) => `${path}: ${text}`),
      [],
      'permitted, and flagged',
    )
    assert.ok(planted.filter(({ forbidden }) => forbidden).length > 800)
  })

  it('flag files that import each other', async () => {
    const found = await lintPlanted({
      'node/base/one.ts': "import { two } from './two.ts'\n\nexport const one = () => two\n",
      'node/base/two.ts': "import { one } from './one.ts'\n\nexport const two = () => one\n",
    })
    for (const path of ['node/base/one.ts', 'node/base/two.ts']) assert.ok(found.get(path)?.includes('lint/suspicious/noImportCycles'), path)
  })

  it('flag the clock, chance and a plain Error where they do not belong', async () => {
    const found = await lintPlanted({
      'node/core/model/chance.ts': 'export const a = () => Math.random()\n',
      'node/round/clock.ts': 'export const a = () => Date.now()\n',
      'node/core/model/date.ts': 'export const a = () => new Date()\n',
      'node/app/plain.ts': "export function a() {\n  throw new Error('no')\n}\n",
      'node/adapters/host/clock.ts': 'export const a = () => Date.now()\n',
    })
    for (const path of ['node/core/model/chance.ts', 'node/round/clock.ts', 'node/core/model/date.ts', 'node/app/plain.ts'])
      assert.ok(found.get(path)?.includes('plugin'), path)
    assert.equal(found.get('node/adapters/host/clock.ts'), undefined)
  })

  it('have a row for each folder of node/', async () => {
    const files = (await readdir('node', { recursive: true })).filter((file) => file.endsWith('.ts'))
    assert.deepEqual(
      files.map((file) => `node/${file.replaceAll('\\', '/')}`).filter((file) => layerOf(file) === undefined),
      [],
    )
  })

  it('stand in biome.json as the table says', async () => {
    assert.ok(await biomeIsCurrent(), 'run npm run fix')
  })
})
