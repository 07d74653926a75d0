import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { RotaError } from '#base/errors.ts'

/**
 * Asks a person at the terminal, without showing what is typed.
 * @param again asked too, and both must be the same
 * @throws ROTA-6719 without a terminal, or when the two differ
 */
export async function askSecret(question: string, again: string): Promise<string> {
  const { stdin, stderr } = process
  if (!stdin.isTTY) throw new RotaError('ROTA-6719')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: silent, terminal: true })
  const ask = async (text: string): Promise<string> => {
    stderr.write(text)
    const answer = await lines.question('')
    stderr.write('\n')
    return answer
  }
  try {
    const first = await ask(question)
    if (first === '' || (await ask(again)) !== first) throw new RotaError('ROTA-6719')
    return first
  } finally {
    lines.close()
  }
}
