import type { Style } from './style.ts'

/** Shows that long work goes on. On a terminal one line that moves; elsewhere a plain line for each `note`. Always on stderr. */
export interface Progress {
  /** How far it is, e.g. "round 3 of 10". */
  update(text: string): void
  /** Something worth a line of its own. */
  note(text: string): void
  /** Ends it; leaves nothing behind but the notes. */
  done(): void
}

const FRAMES = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏']
const FRAME_MS = 100

export function progressOn(stream: NodeJS.WriteStream, title: string, style: Style): Progress {
  return stream.isTTY ? moving(stream, title, style) : quiet(stream)
}

export const noProgress: Progress = { update() {}, note() {}, done() {} }

function quiet(stream: NodeJS.WriteStream): Progress {
  return { update() {}, note: (text) => void stream.write(`${text}\n`), done() {} }
}

function moving(stream: NodeJS.WriteStream, title: string, style: Style): Progress {
  let text = ''
  let frame = 0
  const clear = (): void => void stream.write('\r\x1b[K')
  const draw = (): void => {
    frame += 1
    const line = `${FRAMES[frame % FRAMES.length]} ${title}${text === '' ? '' : ` ${text}`}`
    stream.write(`\r\x1b[K${style.accent([...line].slice(0, (stream.columns || 80) - 1).join(''))}`)
  }
  const timer = setInterval(draw, FRAME_MS)
  timer.unref()
  return {
    update(next) {
      text = next
    },
    note(line) {
      clear()
      stream.write(`${line}\n`)
    },
    done() {
      clearInterval(timer)
      clear()
    },
  }
}
