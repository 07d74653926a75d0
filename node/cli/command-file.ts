import type { Output } from './output/output.ts'

/**
 * How to add a command
 * --------------------
 * 1. Make a file node/cli/commands/<name>.ts (`chain start` → chain-start.ts) that exports one `CommandFile`:
 *
 *      export const study_show = command({
 *        name: 'study show',
 *        group: 'Studies',
 *        summary: 'lists runs and rounds of a study',
 *        arguments: '<study>',
 *        options: { rounds: whole('N', 'only the last N rounds', { from: 1 }) },
 *        example: 'rota study show 3 --rounds 5',
 *        async run({ options, args, out, signal }) {
 *          const { showStudy } = await import('#app/study/study-show.ts')
 *          const study = await showStudy(args[0], options.rounds ?? null, signal)
 *          out.result(study, () => studyTable(study, out.style))
 *        },
 *      })
 *
 * 2. Add it to the list in commands/index.ts. Help, nearest names, `--json` and exit codes come by themselves.
 *
 * Rules. The file itself imports nothing heavy, so that `rota --help` stays quick: app parts are imported inside `run`.
 * `run` gives `out.result` the answer twice: the object that `--json` prints, and the text for people.
 * Work that takes longer than a moment shows `out.progress(…)`. Faults are RotaErrors: code, what, what to do; the exit
 * code is theirs. `run` returns a number to end with another exit code. `signal` aborts on Ctrl-C and SIGTERM.
 * An option is declared once, by `text`, `whole`, `number`, `list`, `choice` or `flag` from options.ts; its key in camelCase
 * becomes `--kebab-case`, and its type reaches `run`.
 */
export interface CommandFile<O extends OptionSet = OptionSet> {
  /** The words after `rota`. */
  readonly name: string
  /** Heading under which `rota --help` lists it. */
  readonly group: CommandGroup
  /** Half a line; starts with a verb. */
  readonly summary: string
  /** More, for `rota <name> --help`. */
  readonly description?: string
  /** As commander writes them: `<file>`, `[study]`, `<patients...>`; an argument of several words arrives as several. */
  readonly arguments?: string
  readonly options: O
  /** One or more command lines that work. */
  readonly example: string | readonly string[]
  run(input: CommandInput<O>): Promise<number | void>
}

export type CommandGroup = 'Start here' | 'Site' | 'Network' | 'Studies' | 'Consent' | 'Audit'

export interface CommandInput<O extends OptionSet> {
  readonly options: Values<O>
  readonly args: readonly string[]
  readonly out: Output
  readonly signal: AbortSignal
}

export interface Option<T> {
  /** What help shows for the value; null for a switch. */
  readonly placeholder: string | null
  readonly summary: string
  /** @throws RotaError when the text is no such value */
  parse(text: string, flag: string): T
  /** What `run` gets when the option is not there. */
  readonly fallback: T
  /** For help, when the fallback should be told. */
  readonly told?: string
}

export type OptionSet = Readonly<Record<string, Option<unknown>>>
export type Values<O extends OptionSet> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never }

/** Keeps the types of the options together with `run`. */
export const command = <const O extends OptionSet>(file: CommandFile<O>): CommandFile => file as unknown as CommandFile
