import { readFile, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Layer, layers } from './layers.ts'

/** Formatting, lint and layers in one file for one tool; written by `npm run fix`, compared by `npm run check`. */
export const BIOME_FILE = 'biome.json'

const PURE = ['base', 'core', 'wire', 'ports', 'round']
const RULES = './scripts/checks/rules'

export function biomeConfig(): string {
  const config = {
    $schema: './node_modules/@biomejs/biome/configuration_schema.json',
    vcs: { enabled: true, clientKind: 'git', useIgnoreFile: true },
    files: {
      includes: [
        '**',
        '!vendor',
        '!contracts/**/*.json',
        '!**/*.css',
        '!**/*.html',
        '!**/*.md',
        '!package-lock.json',
        '!package.json',
        '!tsconfig.json',
        '!**/vectors/**/*.json',
      ],
      maxSize: 4_194_304,
    },
    formatter: { indentStyle: 'space', indentWidth: 2, lineWidth: 160 },
    javascript: { formatter: { quoteStyle: 'single', semicolons: 'asNeeded' } },
    grit: { formatter: { enabled: false } },
    assist: { actions: { source: { organizeImports: 'on' } } },
    linter: { rules },
    overrides: [
      { includes: PURE.map((folder) => `node/${folder}/**`), plugins: [`${RULES}/no-clock-or-chance.grit`] },
      { includes: ['node/**'], plugins: [`${RULES}/no-plain-error.grit`] },
      { includes: ['test/**'], linter: { rules: { style: { noNonNullAssertion: 'off' } } } },
      ...layers.map(layerOverride),
    ],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

const rules = {
  preset: 'recommended',
  correctness: { noUnusedImports: 'error', noUnusedVariables: 'error' },
  suspicious: {
    noImportCycles: 'error',
    noExplicitAny: 'error',
    noConsole: 'off',
    noAssignInExpressions: 'off',
    noConfusingVoidType: 'off',
    noControlCharactersInRegex: 'off',
    useIterableCallbackReturn: 'off',
  },
  style: { useImportType: 'error', useNodejsImportProtocol: 'error', noNonNullAssertion: 'error', noDefaultExport: 'off' },
  complexity: { noStaticOnlyClass: 'off', useMathMinMax: 'off', useLiteralKeys: 'off' },
}

/** An allow-list: everything is forbidden, then what may be imported is let through. */
const layerOverride = (layer: Layer) => ({
  includes: [`node/${layer.folder}/**`],
  linter: {
    rules: {
      style: {
        noRestrictedImports: {
          level: 'error',
          options: { patterns: [{ group: ['**', ...allowed(layer).map((pattern) => `!${pattern}`)], message: message(layer) }] },
        },
      },
    },
  },
})

function allowed({ folder, may, packages, builtins }: Layer): string[] {
  // `../x.ts` is a file of the same layer one folder up: no layer's parent folder holds files of another.
  const own = ['./**', '../*.ts', `#${folder}/**`]
  const siblings = folder.startsWith('core/') ? ['../*/*.ts'] : []
  return [
    ...own,
    ...siblings,
    ...may.map((other) => `#${other}/**`),
    ...packages.flatMap((name) => [name, `${name}/**`]),
    ...(builtins ? ['node:*', 'node:*/**'] : []),
  ]
}

function message({ folder, may, packages, builtins, hint }: Layer): string {
  const parts = [...may.map((other) => `#${other}/`), ...packages, ...(builtins ? ['node:*'] : [])]
  return `node/${folder} may import ${parts.length === 0 ? 'only its own files' : `its own files and ${parts.join(', ')}`}. ${hint}`
}

/** By content: Biome formats its own config as it likes. */
export async function biomeIsCurrent(): Promise<boolean> {
  const text = await readFile(BIOME_FILE, 'utf8').catch(() => '{}')
  return isDeepStrictEqual(JSON.parse(text), JSON.parse(biomeConfig()))
}

export const writeBiome = (): Promise<void> => writeFile(BIOME_FILE, biomeConfig())
