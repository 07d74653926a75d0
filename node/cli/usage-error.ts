import type { Command, CommanderError } from 'commander'
import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'

/** What commander found wrong in the words, as an error that names the nearest right ones. */
export function usageError(error: CommanderError, command: Command): RotaError {
  // Of words too many commander names the command; of a group the word is what was meant as one.
  const surplus = error.code === 'commander.excessArguments' && command.commands.length > 0 ? command.args[0] : undefined
  const word = surplus ?? /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const path = pathOf(command)
  if (error.code === 'commander.unknownOption') return new RotaError('ROTA-1003', { command: path, option: word, nearest: nearest(word, flagsOf(command)) })
  if (error.code === 'commander.unknownCommand' || (error.code === 'commander.excessArguments' && command.commands.length > 0))
    return unknownCommand(command, word)
  return new RotaError('ROTA-1006', { command: path, reason: error.message.replace(/^error: /, '') })
}

function unknownCommand(parent: Command, word: string): RotaError {
  const path = [pathOf(parent), word].filter((part) => part !== '').join(' ')
  return new RotaError('ROTA-1002', { command: path, nearest: nearest(path, namesBelow(root(parent))) })
}

const root = (command: Command): Command => (command.parent === null ? command : root(command.parent))

/** `study show`; without the `rota` before it. */
const pathOf = (command: Command): string => (command.parent === null ? '' : [pathOf(command.parent), command.name()].filter((part) => part !== '').join(' '))

const flagsOf = (command: Command): string[] => [...command.options.map((option) => option.long ?? ''), '--help']

const namesBelow = (command: Command): string[] => (command.commands.length === 0 ? [pathOf(command)] : command.commands.flatMap(namesBelow))
