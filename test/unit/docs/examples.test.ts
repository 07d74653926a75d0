import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Command } from 'commander'
import { parse } from 'yaml'
import { schema as mappingSchema, parseMapping } from '#app/protocol/mapping-file.ts'
import { parseProtocol } from '#app/protocol/protocol-file.ts'
import { checkConfig, schema as configSchema } from '#app/site/config.ts'
import { buildProgram } from '#cli/build-program.ts'
import { commands } from '#cli/commands/index.ts'
import { plain } from '#cli/output/style.ts'
import { farewell, kept } from '../../../scripts/demo/farewell.ts'
import type { Network } from '../../../scripts/demo/scene.ts'
import type { Stage } from '../../../scripts/demo/stage.ts'

// given the examples of README, CONTRIBUTING, SECURITY and docs/
// ├── each `rota …` line names a command, options and values that exist, and its command's help example does too
// ├── each `npm …` line names a script of package.json; so do those that the demo prints at its end
// ├── the configs, protocols and mapping files in them are taken by the code that reads them
// └── links between them lead to a file and a heading that are there

const ROOT = new URL('../../../', import.meta.url)

interface Fence {
  readonly file: string
  readonly language: string
  readonly text: string
}

const files = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...(await readdir(new URL('docs', ROOT))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
]
const texts = new Map(await Promise.all(files.map(async (file) => [file, await readFile(new URL(file, ROOT), 'utf8')] as const)))
const fences = [...texts].flatMap(([file, text]) => fencesOf(file, text))
const shellLines = fences
  .filter(({ language }) => language === 'sh')
  .flatMap(({ file, text }) => text.split('\n').map((line) => ({ file, line: line.replace(/\s+[#>] .*$/, '').trim() })))

describe('command lines in the documents', () => {
  const rotaLines = shellLines.filter(({ line }) => /^rota\b/.test(line))

  for (const { file, line } of rotaLines) {
    it(`${file}: ${line}`, async () => {
      const ran = await parseLine(wordsOf(line).slice(1))
      assert.ok(ran !== null, 'no command would run')
    })
  }

  it('README shows the way from init to audit', () => {
    const shown = rotaLines.filter(({ file }) => file === 'README.md').map(({ line }) => line)
    for (const name of [
      'init',
      'network create',
      'join',
      'admit',
      'doctor',
      'run',
      'study draft',
      'study publish',
      'study approve',
      'study start',
      'model show',
      'consent withdraw',
      'audit verify',
    ])
      assert.ok(
        shown.some((line) => line.startsWith(`rota ${name}`)),
        `README has no example of rota ${name}`,
      )
  })

  it('the demo ends with commands that are there, and with how to end what it kept', async () => {
    const stage = { style: plain } as Stage
    const hospitals = [1, 2].map((i) => ({ folder: `/tmp/demo/site-${i}`, pid: 100 + i }))
    const network = {
      chain: 'ws://127.0.0.1:8545',
      contracts: `0x${'12'.repeat(20)}`,
      hospitals,
      reader: { keystore: 'r.json', passwordFile: 'r.pw' },
    } as unknown as Network
    const told = kept(stage, '/tmp/demo', network)
    for (const text of [told, farewell(stage, 60)])
      for (const [, line = ''] of text.matchAll(/npm run -s rota -- (.*?)(?: {4}.*)?$/gm)) assert.ok((await parseLine(wordsOf(line))) !== null, line)
    assert.equal(told.match(/npm run -s rota -- /g)?.length, 8)
    assert.match(told, /^ {2}kill 101 102\n.*chain stop --folder \/tmp\/demo\/chain\n {2}rm -r \/tmp\/demo$/m)
  })

  it('a command or option that is not there would be found', async () => {
    await assert.rejects(parseLine(['stduy', 'list']), { code: 'ROTA-1002' })
    await assert.rejects(parseLine(['run', '--fodler', 'x']), { code: 'ROTA-1003' })
    await assert.rejects(parseLine(['chain', 'start', '--port', 'many']), { code: 'ROTA-1004' })
  })

  it('npm scripts are there', async () => {
    const { scripts } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8'))
    const named = shellLines.flatMap(({ file, line }) =>
      (/^npm (start|test)\b/.exec(line) ?? /^npm run (?:-s )?(\S+)/.exec(line) ?? []).slice(1).map((name) => ({ file, name })),
    )
    assert.ok(named.length >= 4)
    for (const { file, name } of named) assert.ok(name in scripts, `${file}: npm has no script ${name}`)
  })
})

describe('files in the documents', () => {
  const protocols = fences.filter(({ language, text }) => language === 'yaml' && text.includes('learner:'))
  const mappings = fences.filter(({ language, text }) => language === 'yaml' && /^patient: \S/m.test(text))
  const configs = fences.filter(({ language, text }) => language === 'yaml' && text.includes('passwordFile:'))

  it('a protocol is read, and has nothing that the code would refuse', () => {
    assert.equal(protocols.length, 1)
    for (const { file, text } of protocols) assert.equal(parseProtocol(text, file).features.length, 3)
  })

  it('a mapping file is read against it, and shows every key but those that default', () => {
    const protocol = parseProtocol(protocols[0]?.text ?? '')
    for (const { file, text } of mappings) {
      assert.equal(parseMapping(text, protocol, file).columns.trestbps?.column, 'bp_sys')
      assert.deepEqual(
        Object.keys(mappingSchema.shape).filter((key) => !(key in parse(text))),
        ['set'],
      )
    }
    assert.equal(mappings.length, 1)
  })

  it('a config is read, and shows every key', () => {
    assert.equal(configs.length, 1)
    for (const { file, text } of configs) {
      assert.equal(checkConfig(text, file).name, 'Basel')
      assert.deepEqual(
        Object.keys(configSchema.shape).filter((key) => !(key in parse(text))),
        [],
      )
    }
  })
})

describe('links in the documents', () => {
  for (const [file, text] of texts) {
    it(`${file} leads to what is there`, () => {
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [path = '', anchor] = target.split('#')
        const found = path === '' ? file : new URL(path, new URL(file, ROOT)).pathname.slice(ROOT.pathname.length)
        assert.ok(existsSync(new URL(found, ROOT)), `${file} links to ${target}: there is no such file`)
        if (anchor !== undefined) assert.ok(headingsOf(texts.get(found) ?? '').includes(anchor), `${file} links to ${target}: there is no such heading`)
      }
    })
  }
})

/** Fenced blocks, those inside lists too. */
function fencesOf(file: string, text: string): Fence[] {
  return [...text.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm)].map(([, language = '', body = '']) => ({ file, language, text: body }))
}

/** As GitHub makes anchors of headings. */
const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )

/** Splits as a shell would, for the plain lines that documents hold. */
const wordsOf = (line: string): string[] => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? '')

/** Parses the words as `rota` would, and runs nothing. @returns the command that would run, or null for help */
async function parseLine(words: readonly string[]): Promise<string | null> {
  let ran: string | null = null
  const program = buildProgram(new Command(), commands, '0.0.0', async (file) => {
    ran = file.name
  }).configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  if (words.includes('--help')) return 'help'
  await program.parseAsync([...words], { from: 'user' })
  return ran
}
