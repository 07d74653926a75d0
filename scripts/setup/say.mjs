// What set-up tells the person who waits: one line that moves on a terminal, plain lines elsewhere. Always on stderr.
import process from 'node:process'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const TICK_MS = 120
/** Without a terminal, a line now and then shows that it still works. */
const PLAIN_EVERY_MS = 15_000

export const say = (text) => process.stderr.write(`rota: ${text}\n`)

/**
 * Shows that a step runs, for as long as `work` takes.
 * @param {string} title what is done, in the present tense
 * @param {() => Promise<T>} work
 * @param {() => string} [howFar] asked twice a second; '' when there is nothing to tell
 * @returns {Promise<T>}
 * @template T
 */
export async function step(title, work, howFar = () => '') {
  const terminal = process.stderr.isTTY === true
  const started = Date.now()
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`
  const timer = terminal
    ? setInterval(moving(title, howFar, seconds), TICK_MS)
    : setInterval(() => say(`${title}: ${[howFar(), seconds()].filter(Boolean).join(', ')}`), PLAIN_EVERY_MS)
  if (!terminal) say(`${title} …`)
  try {
    const result = await work()
    if (terminal) process.stderr.write('\r\x1b[K')
    say(`${title}: done in ${seconds()}`)
    return result
  } catch (error) {
    if (terminal) process.stderr.write('\r\x1b[K')
    throw error
  } finally {
    clearInterval(timer)
  }
}

function moving(title, howFar, seconds) {
  let tick = 0
  let told = ''
  return () => {
    if (tick % 4 === 0) told = howFar()
    const line = `${FRAMES[tick++ % FRAMES.length]} ${title} ${[told, seconds()].filter(Boolean).join(', ')}`
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`)
  }
}
