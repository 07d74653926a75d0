import { Command } from 'commander'
import { buildProgram } from '../../node/cli/build-program.ts'
import type { CommandFile } from '../../node/cli/command-file.ts'
import { commands } from '../../node/cli/commands/index.ts'
import { markdownTable, WRITTEN } from './markdown.ts'

/** docs/cli.md: what `rota COMMAND --help` says, of all commands. */
export function commandsPage(): string {
  const program = buildProgram(new Command(), commands, '', async () => undefined)
  const groups = [...new Set(commands.map((file) => file.group))]
  const contents = groups.map(
    (group) =>
      `- **${group}**: ${ofGroup(group)
        .map((file) => `[\`${file.name}\`](#${anchorOf(file)})`)
        .join(', ')}`,
  )
  return `${[
    WRITTEN,
    '# The command line',
    'In the repository write `npm run -s rota -- COMMAND …`; with the package on the path, `rota COMMAND …`. Every command takes `--help` and `--json` (one JSON object on standard output).',
    EXITS,
    contents.join('\n'),
    ...groups.flatMap((group) => [`## ${group}`, ...ofGroup(group).map((file) => commandText(file, commandOf(program, file)))]),
  ].join('\n\n')}\n`
}

const EXITS = `Exit codes: 0 done; 1 the answer is no (an audit that found a fault); 2 a mistake in the command line or in a file;
3 something that may pass (try again); 4 something that needs a person; 130 stopped by Ctrl-C. [errors.md](errors.md) lists every error.`

const ofGroup = (group: string): readonly CommandFile[] => commands.filter((file) => file.group === group)
const anchorOf = (file: CommandFile): string => `rota-${file.name.replaceAll(' ', '-')}`

/** Follows the words of its name down commander's tree. */
function commandOf(program: Command, file: CommandFile): Command {
  return file.name.split(' ').reduce((parent, word) => {
    const child = parent.commands.find((command) => command.name() === word)
    if (child === undefined) throw new Error(`no command ${file.name}`)
    return child
  }, program)
}

function commandText(file: CommandFile, command: Command): string {
  const options = command.options.map((option) => [`\`${option.flags}\``, option.description])
  const usage = ['rota', file.name, file.arguments, '[options]'].filter((part) => part !== undefined).join(' ')
  return [
    `### rota ${file.name}`,
    `\`${usage}\``,
    command.description(),
    markdownTable(['option', ''], options),
    ['```sh', ...[file.example].flat(), '```'].join('\n'),
  ].join('\n\n')
}
