import { type Command, type CommanderError, Option as CommanderOption } from 'commander'
import type { CommandFile, CommandGroup, OptionSet, Values } from './command-file.ts'
import { usageError } from './usage-error.ts'

export type Runner = (file: CommandFile, options: Values<OptionSet>, args: readonly string[]) => Promise<void>

/** The order in which help shows them; inside a group the list's order holds. */
const GROUPS: readonly CommandGroup[] = ['Start here', 'Site', 'Network', 'Studies', 'Consent', 'Audit']

/** Makes commander's tree of all command files; `chain start` becomes `start` under a group `chain`. */
export function buildProgram(program: Command, files: readonly CommandFile[], version: string, run: Runner): Command {
  program
    .name('rota')
    .description('Hospitals train one model together; they take turns to add the updates up.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print help')
    .helpCommand(false)
    // `rota desk` has commands below it that take the same options: what stands after their names is theirs.
    .enablePositionalOptions()
    .addHelpText('after', '\n`rota COMMAND --help` tells more, with an example. Every command takes --json.')
  for (const file of [...files].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group))) addFile(program, file, run)
  everyCommand(program, summariseGroup)
  everyCommand(program, (command) => command.exitOverride((error) => translate(error, command)).configureOutput({ outputError: () => undefined }))
  return program
}

function addFile(program: Command, file: CommandFile, run: Runner): void {
  const words = file.name.split(' ')
  const last = words.pop() as string
  const command = words.reduce(groupOf(file), program).command(last)
  command
    .summary(file.summary)
    .description(file.description === undefined ? sentence(file.summary) : `${sentence(file.summary)}\n\n${paragraph(file.description)}`)
  if (words.length === 0) command.helpGroup(`${file.group}:`)
  for (const argument of file.arguments?.split(' ') ?? []) command.argument(argument)
  for (const [key, option] of Object.entries(file.options)) command.addOption(commanderOption(key, option))
  command
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print help')
    .addHelpText(
      'after',
      `\nExample:\n${[file.example]
        .flat()
        .map((line) => `  $ ${line}`)
        .join('\n')}`,
    )
    .action(async (..._: unknown[]) => run(file, valuesOf(file.options, command.opts()), command.args))
}

/** Commander breaks lines at the terminal's width; those of the source only keep it readable. */
const paragraph = (text: string): string => text.replace(/\s*\n\s*/g, ' ')

/** The group's own command, made when its first member comes. */
const groupOf =
  (file: CommandFile) =>
  (parent: Command, word: string): Command =>
    parent.commands.find((command) => command.name() === word) ??
    parent.command(word).helpGroup(`${file.group}:`).helpOption('--help', 'print help').helpCommand(false)

function commanderOption(key: string, { placeholder, summary, parse, told }: OptionSet[string]): CommanderOption {
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  const option = new CommanderOption(placeholder === null ? flag : `${flag} <${placeholder}>`, told === undefined ? summary : `${summary} (default ${told})`)
  return placeholder === null ? option : option.argParser((text) => parse(text, flag))
}

const valuesOf = (options: OptionSet, given: Record<string, unknown>): Values<OptionSet> =>
  Object.fromEntries(Object.entries(options).map(([key, option]) => [key, key in given ? given[key] : option.fallback]))

/** `chain` is told by what it can do: "start, stop". */
function summariseGroup(command: Command): void {
  if (command.parent !== null && command.commands.length > 0 && command.summary() === '')
    command.summary(command.commands.map((child) => child.name()).join(', '))
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) everyCommand(child, visit)
}

/** Mistakes in the words become errors of the catalogue; help and version pass. */
function translate(error: CommanderError, command: Command): never {
  throw error.exitCode === 0 || error.code === 'commander.help' ? error : usageError(error, command)
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
