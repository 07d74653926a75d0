import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Files whose cases are a table of their own. */
const TABLES = ['gas.test.ts', 'trees.test.ts']

interface Line {
  readonly depth: number
  readonly text: string
}

/** Titles of a test file, each under the one that it is indented below. */
function titlesOf(source: string): Line[] {
  const titles = source.matchAll(/^( *)(describe|it)\((?:'([^']*)'|"([^"]*)")/gm)
  return [...titles].map(([, indent = '', kind, single, double]) => ({ depth: indent.length / 2, text: `${kind === 'it' ? 'it ' : ''}${single ?? double}` }))
}

/** The titles drawn as a tree. */
function treeOf(lines: readonly Line[]): string {
  const isLast = (i: number, depth: number): boolean => {
    const next = lines.slice(i + 1).find((line) => line.depth <= depth)
    return next === undefined || next.depth < depth
  }
  const open: boolean[] = []
  const drawn = lines.map(({ depth, text }, i) => {
    if (depth === 0) return text
    open[depth] = !isLast(i, depth)
    const stems = Array.from({ length: depth - 1 }, (_, d) => (open[d + 1] ? '│   ' : '    ')).join('')
    return `${stems}${open[depth] ? '├── ' : '└── '}${text}`
  })
  return `${drawn.join('\n')}\n`
}

describe('Test trees', () => {
  const files = globSync('**/*.test.ts', { cwd: HERE }).filter((file) => !TABLES.includes(file))

  it('are beside every test', () => {
    expect(files.length).to.be.greaterThan(5)
  })

  for (const file of files) {
    it(`${file} does what its tree says (UPDATE_TREES=1 draws it anew)`, () => {
      const tree = `${HERE}${file.replace('.test.ts', '.tree')}`
      const drawn = treeOf(titlesOf(readFileSync(`${HERE}${file}`, 'utf8')))
      if (process.env.UPDATE_TREES === '1') writeFileSync(tree, drawn)
      expect(existsSync(tree) ? readFileSync(tree, 'utf8') : '').to.equal(drawn)
    })
  }
})
