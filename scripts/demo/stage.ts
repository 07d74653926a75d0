import process from 'node:process'
import { progressOn } from '#cli/output/progress.ts'
import { type Style, styleFor } from '#cli/output/style.ts'

/** Where the play is seen: lines that stay, and on a terminal one line that moves. Elsewhere plain lines, no control characters. */
export interface Stage {
  readonly style: Style
  /** Heading of an act. */
  act(number: number, title: string, words: string): void
  /** A line that stays. */
  line(text?: string): void
  /** A command as a person would type it. */
  command(text: string): void
  /** Something that is as it should be. */
  good(text: string): void
  /** What is waited for now; on a terminal only. */
  now(text: string): void
  close(): void
}

const PROMPT = '$'

/** @param json the story goes to stderr, so that stdout holds the results alone */
export function openStage(json: boolean): Stage {
  const stream = json ? process.stderr : process.stdout
  const style = styleFor(stream)
  const started = Date.now()
  const moving = stream.isTTY ? progressOn(stream, '', style) : null
  const line = (text = ''): void => {
    if (moving === null) stream.write(`${text}\n`)
    else moving.note(text)
  }
  return {
    style,
    line,
    act(number, title, words) {
      moving?.update('')
      const clock = style.dim(`${((Date.now() - started) / 1_000).toFixed(0)} s`)
      line()
      line(`${style.bold(style.accent(`${number}. ${title}`))}  ${clock}`)
      line(style.dim(words))
    },
    command(text) {
      moving?.update(text.replace(/ --.*/, ''))
      line(style.dim(`   ${PROMPT} ${text}`))
    },
    good: (text) => line(`   ${style.good('✓')} ${text}`),
    now: (text) => moving?.update(text),
    close: () => moving?.done(),
  }
}
