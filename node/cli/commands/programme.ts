import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { choice, text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const programme_draft = command({
  name: 'programme draft',
  group: 'Consent',
  summary: "write a commented draft of a consent programme's terms",
  description: `Holds the sentences that are true of every programme, in English and German; what only people know is marked "Fill in", and a draft with such a mark is
not published. Without --out the draft goes to standard output.`,
  options: {
    programme: text('NAME', 'the consent programme, as protocols name it'),
    lawfulBasis: choice(['consent', 'opt-out'], 'nobody until they agree, or everybody until they object', 'consent'),
    version: whole('N', 'the version to write', { from: 1, to: 1_000_000 }, 1),
    years: whole('N', 'how long consents count', { from: 0, to: 50 }, 5),
    out: text('FILE.yaml', 'where to (default: standard output)'),
  },
  example: 'rota programme draft --programme heart --lawful-basis consent --out terms.yaml',
  async run({ options, out }) {
    const { draftProgramme } = await import('#app/programme/draft-programme.ts')
    const { lawfulBasis, version, years } = options
    const programme = needed('programme draft', '--programme', options.programme)
    const { file, text: yaml } = await draftProgramme({ programme, lawfulBasis, version, years, outFile: options.out })
    out.result(file === null ? { file, terms: yaml } : { file }, () =>
      file === null ? yaml.trimEnd() : `Written: ${file}\nNext: go through every line, then rota programme publish ${file} --folder DIR`,
    )
  },
})

export const programme_publish = command({
  name: 'programme publish',
  group: 'Consent',
  summary: "publish a version of a programme's terms, text and all, as the site's steward",
  description: `The site that publishes version 1 keeps the programme: later versions are its alone. Consents name the version that they were given under, and count no
longer than it. From now on each site's node puts its root on chain at the terms' cadence.`,
  arguments: '<terms>',
  options: { ...siteOptions, stewardPasswordFile: text('FILE', "first line: the password of the steward's keystore (default: the site's)") },
  example: 'rota programme publish terms.yaml --folder ./cleveland',
  async run({ options, args, out, signal }) {
    const [{ readTerms }, { publishTerms }] = [await import('#app/programme/terms-file.ts'), await import('#app/programme/publish-terms.ts')]
    const { publishedText } = await import('#cli/output/programme-text.ts')
    const made = await publishTerms({
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      terms: await readTerms(args[0] ?? ''),
      stewardPassword: options.stewardPasswordFile === undefined ? null : { file: options.stewardPasswordFile },
    })
    out.result(made, () => publishedText(made, out.style))
  },
})

export const programme_show = command({
  name: 'programme show',
  group: 'Consent',
  summary: 'show the terms of a programme as the chain has them, or list all programmes with terms',
  arguments: '[programme]',
  options: {
    folder: siteOptions.folder,
    chain: text('URL', "JSON-RPC endpoint of the network's chain, in place of a site's folder"),
    contracts: text('ADDRESS', "with --chain: the network's directory contract"),
    version: whole('N', 'another version than the newest', { from: 1 }),
    language: text('CODE', 'only this language, as en or de'),
  },
  example: ['rota programme show --folder ./cleveland', 'rota programme show heart --folder ./cleveland --language de'],
  async run({ options, args, out, signal }) {
    const { showProgrammes } = await import('#app/programme/show-programme.ts')
    const { programmesText, termsText } = await import('#cli/output/programme-text.ts')
    const { folder, chain, version } = options
    const where = chain === undefined ? { folder } : { chain, contracts: needed('programme show', '--contracts', options.contracts) }
    const shown = await showProgrammes({ where, programme: args[0], version, signal })
    out.result({ programmes: shown }, () =>
      args[0] === undefined ? programmesText(shown, out.style) : shown.map((terms) => termsText(terms, options.language, out.style)).join('\n\n'),
    )
  },
})
